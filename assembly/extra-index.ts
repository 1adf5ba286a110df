// The kernels of the entries that not every app imports, such as tapeloop/images, as a second module on the memory of
// the first. `ExtraKernels` of src/engine/extra/extra-kernels.ts has their types and contracts. Nothing here may have
// static data, because the first module's data is at the same addresses.
