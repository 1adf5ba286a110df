// What an HDF5 file holds, as a plain tree.

/** A list of values with its shape: a dataset, or the value of an attribute. */
export interface HdfArray {
  /** `[]` for one value. */
  readonly shape: readonly number[];
  /**
   * The values, row-major: numbers as an array of their type (half precision and bfloat16 as float32, 64-bit integers
   * and floats as float64), texts as strings. The caller owns them.
   *
   * @throws ModelFileError if their type is not supported or their bytes are damaged.
   */
  values(): HdfValues;
}

export type HdfNumbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

export type HdfValues = HdfNumbers | string[];

interface HdfObject {
  /** By name, in the order of the file. */
  readonly attributes: ReadonlyMap<string, HdfArray>;
}

export interface HdfDataset extends HdfObject, HdfArray {
  readonly kind: 'dataset';
}

export interface HdfGroup extends HdfObject {
  readonly kind: 'group';
  /** What is linked under each name. A group may be linked twice, but never contains itself. */
  readonly members: ReadonlyMap<string, HdfNode>;
}

export type HdfNode = HdfGroup | HdfDataset;
