package org.pytorch.executorch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A "program" of the tests: eight bytes with the magic, then lines such as "in 1,1,64,64",
 * "out 1,4", "out-int64 1,4", "method forward", "fail-load 35", "fail-method 48" and
 * "fail-execute 33" (error codes), "fail-after 2" (runs). Its outputs are a fixed mixture of all inputs. Not a class of the
 * real API.
 */
final class StubProgram {
  final List<long[]> inputs = new ArrayList<>();
  final List<long[]> outputs = new ArrayList<>();
  final List<DType> types = new ArrayList<>();
  final List<ByteBuffer> memory = new ArrayList<>();
  String method = "forward";
  int failLoad = 0;
  int failMethod = 0;
  int failExecute = 0;
  int failAfter = 0;
  int runs = 0;

  static StubProgram read(String path) {
    try {
      byte[] content = Files.readAllBytes(Path.of(path));
      if (content.length < 8 || !new String(content, 4, 4, StandardCharsets.US_ASCII).equals("ET12")) {
        throw new ExecutorchRuntimeException(0x23, "no program");
      }
      StubProgram program = new StubProgram();
      String text = new String(content, 8, content.length - 8, StandardCharsets.UTF_8);
      text.lines().map(line -> line.split(" ")).forEach(words -> program.add(words[0], words[1]));
      return program;
    } catch (IOException error) {
      throw new ExecutorchRuntimeException(0x22, error.getMessage());
    }
  }

  private void add(String key, String value) {
    switch (key) {
      case "in" -> inputs.add(shape(value));
      case "out" -> addOutput(shape(value), DType.FLOAT, 4);
      case "out-int64" -> addOutput(shape(value), DType.INT64, 8);
      case "method" -> method = value;
      case "fail-load" -> failLoad = Integer.parseInt(value);
      case "fail-method" -> failMethod = Integer.parseInt(value);
      case "fail-execute" -> failExecute = Integer.parseInt(value);
      case "fail-after" -> failAfter = Integer.parseInt(value);
      default -> throw new ExecutorchRuntimeException(0x23, key);
    }
  }

  private void addOutput(long[] shape, DType type, int width) {
    outputs.add(shape);
    types.add(type);
    memory.add(
        ByteBuffer.allocateDirect(width * (int) Tensor.numel(shape)).order(ByteOrder.nativeOrder()));
  }

  private static long[] shape(String text) {
    return Arrays.stream(text.split(",")).mapToLong(Long::parseLong).toArray();
  }

  /** Check inputs as the native side does, then overwrite the outputs' memory. */
  EValue[] run(EValue[] values) {
    if (failExecute != 0 && runs++ >= failAfter) {
      throw ExecutorchRuntimeException.makeExecutorchException(failExecute, "Execution failed");
    }
    if (values.length != inputs.size()) {
      throw ExecutorchRuntimeException.makeExecutorchException(0x12, values.length + " inputs");
    }
    float[][] arrays = new float[values.length][];
    for (int i = 0; i < values.length; i++) {
      arrays[i] = read(values[i].toTensor(), inputs.get(i));
    }
    EValue[] results = new EValue[outputs.size()];
    for (int i = 0; i < results.length; i++) {
      mix(arrays, i);
      results[i] = EValue.from(Tensor.wrapNative(memory.get(i), outputs.get(i), types.get(i)));
    }
    return results;
  }

  private static float[] read(Tensor tensor, long[] expected) {
    if (tensor.dtype() != DType.FLOAT) {
      throw ExecutorchRuntimeException.makeExecutorchException(0x12, "type " + tensor.dtype());
    }
    if (!Arrays.equals(tensor.shape(), expected)) {
      throw ExecutorchRuntimeException.makeExecutorchException(
          0x10, "Attempted to resize a static tensor to " + Arrays.toString(tensor.shape()));
    }
    // The native side reads from the buffer's base address: position and limit do not matter.
    FloatBuffer data = ((FloatBuffer) tensor.getRawDataBuffer()).duplicate();
    data.clear();
    float[] array = new float[data.remaining()];
    data.get(array);
    return array;
  }

  private void mix(float[][] arrays, int output) {
    ByteBuffer target = memory.get(output);
    if (types.get(output) == DType.INT64) {
      return;
    }
    float sum = 0;
    for (float[] array : arrays) {
      float part = 0;
      for (float value : array) {
        part += value;
      }
      sum += part / array.length;
    }
    float[] first = arrays[0];
    for (int k = 0; k < target.capacity() / 4; k++) {
      target.putFloat(4 * k, sum + (output + 1) * first[k % first.length]);
    }
  }

  /** What freed memory may hold. */
  void free() {
    for (ByteBuffer block : memory) {
      for (int k = 0; k + 4 <= block.capacity(); k += 4) {
        block.putFloat(k, Float.NaN);
      }
    }
  }
}
