package org.pytorch.executorch;

/** A tagged value. Stand-in for tests: of the real class's kinds, those that a caller can confuse. */
public class EValue {
  private final Object data;

  private EValue(Object data) {
    this.data = data;
  }

  public static EValue from(Tensor value) {
    return new EValue(value);
  }

  public static EValue from(boolean value) {
    return new EValue(value);
  }

  public static EValue from(long value) {
    return new EValue(value);
  }

  public static EValue from(double value) {
    return new EValue(value);
  }

  public static EValue from(String value) {
    return new EValue(value);
  }

  public boolean isTensor() {
    return data instanceof Tensor;
  }

  public Tensor toTensor() {
    if (!isTensor()) {
      throw new IllegalStateException("Expected EValue type Tensor");
    }
    return (Tensor) data;
  }
}
