package org.pytorch.executorch;

import java.util.Map;

/** Stand-in for tests: the codes and the message's form are those of the ExecuTorch Android API. */
public class ExecutorchRuntimeException extends RuntimeException {
  private static final Map<Integer, String> NAMES =
      Map.of(
          0x10, "Operation not supported",
          0x12, "Invalid argument",
          0x14, "Operator missing",
          0x20, "Resource not found",
          0x21, "Memory allocation failed",
          0x22, "Access failed",
          0x23, "Invalid program",
          0x30, "Delegate invalid compatibility");

  private final int errorCode;

  public ExecutorchRuntimeException(int errorCode, String details) {
    super(
        String.format(
            "[ExecuTorch Error 0x%x] %s: %s",
            errorCode, NAMES.getOrDefault(errorCode, "Unknown error code"), details));
    this.errorCode = errorCode;
  }

  public int getErrorCode() {
    return errorCode;
  }

  public String getDetailedError() {
    return "";
  }

  public static class ExecutorchInvalidArgumentException extends ExecutorchRuntimeException {
    public ExecutorchInvalidArgumentException(String details) {
      super(0x12, details);
    }
  }

  public static RuntimeException makeExecutorchException(int errorCode, String details) {
    return errorCode == 0x12
        ? new ExecutorchInvalidArgumentException(details)
        : new ExecutorchRuntimeException(errorCode, details);
  }
}
