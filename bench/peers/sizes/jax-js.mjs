// The gradients of an unrolled LSTM.
import { grad, jit, numpy, random } from '@jax-js/jax';

const loss = jit((w) => numpy.tanh(numpy.matmul(numpy.ones([1, 4]), w)).sum());
console.log(await grad(loss)(random.normal(random.key(1), [4, 4])).data());
