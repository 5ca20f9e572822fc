package org.pytorch.executorch;

/** Element types, with the codes that the native side uses. Stand-in for tests: our own code. */
public enum DType {
  UINT8(0),
  INT8(1),
  INT32(3),
  INT64(4),
  FLOAT(6),
  DOUBLE(7);

  final int jniCode;

  DType(int jniCode) {
    this.jniCode = jniCode;
  }
}
