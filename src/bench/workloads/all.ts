// Every workload, in the order in which they run. One more is a file of its own and a line here.
import type { Workload } from '../workload.ts';
import { buildWorkloads } from './builds.ts';
import { cellWorkloads } from './cells.ts';
import { elementwiseWorkloads } from './elementwise.ts';
import { gemmWorkloads } from './gemm.ts';
import { gemvWorkloads } from './gemv.ts';
import { lifeCycleWorkloads } from './life-cycle.ts';
import { memoryWorkloads } from './memory.ts';
import { modelWorkloads } from './models.ts';
import { optimizerWorkloads } from './optimizers.ts';
import { rowWorkloads } from './rows.ts';
import { speechWorkload } from './speech.ts';
import { audioWorkload, stepWorkloads } from './streaming.ts';
import { threadWorkloads } from './threads.ts';
import { translatorWorkload } from './translator.ts';

export const workloads: readonly Workload[] = [
  ...gemmWorkloads,
  ...gemvWorkloads,
  ...elementwiseWorkloads,
  ...rowWorkloads,
  ...optimizerWorkloads,
  ...cellWorkloads,
  ...modelWorkloads,
  speechWorkload,
  translatorWorkload,
  ...stepWorkloads,
  audioWorkload,
  ...lifeCycleWorkloads,
  ...memoryWorkloads,
  ...threadWorkloads,
  ...buildWorkloads,
];
