package org.pytorch.executorch;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * Stand-in for tests, with the real class's checks: a buffer must be direct, in native order and of
 * the shape's size; it is kept, not copied. A tensor that a module returns wraps native memory.
 */
public abstract class Tensor {
  protected final long[] shape;

  Tensor(long[] shape) {
    this.shape = shape.clone();
  }

  public long numel() {
    return numel(shape);
  }

  public long[] shape() {
    return shape.clone();
  }

  public abstract DType dtype();

  public abstract Buffer getRawDataBuffer();

  public float[] getDataAsFloatArray() {
    throw wrongType("float array");
  }

  public long[] getDataAsLongArray() {
    throw wrongType("long array");
  }

  public void copyDataInto(FloatBuffer destination) {
    throw wrongType("FloatBuffer");
  }

  public void copyDataInto(ByteBuffer destination) {
    throw wrongType("ByteBuffer");
  }

  public void copyDataInto(LongBuffer destination) {
    throw wrongType("LongBuffer");
  }

  private IllegalStateException wrongType(String wanted) {
    return new IllegalStateException(
        "Tensor of type " + getClass().getSimpleName() + " cannot give a " + wanted);
  }

  public static Tensor fromBlob(float[] data, long[] shape) {
    FloatBuffer copy = allocateFloatBuffer(data.length);
    copy.put(data);
    return fromBlob(copy, shape);
  }

  public static Tensor fromBlob(FloatBuffer data, long[] shape) {
    check(data.capacity() == numel(shape), "Inconsistent data capacity: " + data.capacity()
        + " and shape: " + Arrays.toString(shape));
    check(data.isDirect(), "Data buffer must be direct");
    check(data.order() == ByteOrder.nativeOrder(), "Data buffer must have native byte order");
    return new FloatTensor(data, shape);
  }

  public static Tensor fromBlob(LongBuffer data, long[] shape) {
    check(data.capacity() == numel(shape), "Inconsistent data capacity: " + data.capacity());
    check(data.isDirect(), "Data buffer must be direct");
    check(data.order() == ByteOrder.nativeOrder(), "Data buffer must have native byte order");
    return new LongTensor(data, shape);
  }

  public static FloatBuffer allocateFloatBuffer(int elements) {
    return ByteBuffer.allocateDirect(4 * elements).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  public static long numel(long[] shape) {
    long product = 1;
    for (long size : shape) {
      check(size >= 0, "Shape elements must be non negative");
      product *= size;
    }
    return product;
  }

  /** What the native side does with an output: wrap its memory, and neither copy nor own it. */
  static Tensor wrapNative(ByteBuffer memory, long[] shape, DType dtype) {
    ByteBuffer view = memory.duplicate().order(ByteOrder.nativeOrder());
    return dtype == DType.INT64
        ? new LongTensor(view.asLongBuffer(), shape)
        : new FloatTensor(view.asFloatBuffer(), shape);
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }

  static class FloatTensor extends Tensor {
    private final FloatBuffer data;

    FloatTensor(FloatBuffer data, long[] shape) {
      super(shape);
      this.data = data;
    }

    @Override
    public DType dtype() {
      return DType.FLOAT;
    }

    @Override
    public Buffer getRawDataBuffer() {
      return data;
    }

    @Override
    public float[] getDataAsFloatArray() {
      data.rewind();
      float[] copy = new float[data.remaining()];
      data.get(copy);
      return copy;
    }

    @Override
    public void copyDataInto(FloatBuffer destination) {
      data.rewind();
      destination.put(data);
    }
  }

  static class LongTensor extends Tensor {
    private final LongBuffer data;

    LongTensor(LongBuffer data, long[] shape) {
      super(shape);
      this.data = data;
    }

    @Override
    public DType dtype() {
      return DType.INT64;
    }

    @Override
    public Buffer getRawDataBuffer() {
      return data;
    }

    @Override
    public long[] getDataAsLongArray() {
      data.rewind();
      long[] copy = new long[data.remaining()];
      data.get(copy);
      return copy;
    }

    @Override
    public void copyDataInto(LongBuffer destination) {
      data.rewind();
      destination.put(data);
    }
  }
}
