package org.pytorch.executorch;

import java.io.Closeable;
import java.io.File;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Stand-in for tests of the class that the ExecuTorch Android library gives. Where the native side
 * would run into freed memory and crash, it throws an Error, which no caller should ever see.
 */
public class Module implements Closeable {
  public static final int LOAD_MODE_FILE = 0;
  public static final int LOAD_MODE_MMAP = 1;
  public static final int LOAD_MODE_MMAP_USE_MLOCK = 2;
  public static final int LOAD_MODE_MMAP_USE_MLOCK_IGNORE_ERRORS = 3;

  private static final String[] LOG = {"[stub] I first entry", "[stub] E last entry"};

  private final ReentrantLock lock = new ReentrantLock();
  private StubProgram program;
  private int pool = -1;

  private Module(String path, int loadMode, int numThreads) {
    program = StubProgram.read(path);
    if (program.failLoad != 0) {
      throw ExecutorchRuntimeException.makeExecutorchException(program.failLoad, "Failed to load");
    }
    ThreadPool.reset(numThreads);
    ThreadPool.lastLoadMode = loadMode;
    ThreadPool.openModules++;
  }

  public static Module load(String modelPath) {
    return load(modelPath, LOAD_MODE_FILE, 0);
  }

  public static Module load(String modelPath, int loadMode) {
    return load(modelPath, loadMode, 0);
  }

  public static Module load(String modelPath, int loadMode, int numThreads) {
    if (!new File(modelPath).isFile()) {
      throw new IllegalArgumentException("Cannot load model path: path does not exist: " + modelPath);
    }
    return new Module(modelPath, loadMode, numThreads);
  }

  public EValue[] forward(EValue... inputs) {
    return execute("forward", inputs);
  }

  public EValue[] execute(String methodName, EValue... inputs) {
    lock.lock();
    try {
      checkAlive();
      loadMethod(methodName);
      if (pool != ThreadPool.generation()) {
        throw new Error("native crash: the thread pool was replaced under a loaded method");
      }
      ThreadPool.executions++;
      return program.run(inputs);
    } finally {
      lock.unlock();
    }
  }

  public void loadMethod(String methodName) {
    checkAlive();
    if (!methodName.equals(program.method)) {
      throw ExecutorchRuntimeException.makeExecutorchException(
          0x12, "Failed to load method: " + methodName);
    }
    if (program.failMethod != 0) {
      throw ExecutorchRuntimeException.makeExecutorchException(
          program.failMethod, "Failed to load method: " + methodName);
    }
    if (pool < 0) {
      pool = ThreadPool.generation();
    }
  }

  public String[] getMethods() {
    checkAlive();
    return new String[] {program.method};
  }

  public MethodMetadata getMethodMetadata(String name) {
    checkAlive();
    if (!name.equals(program.method)) {
      throw new IllegalArgumentException("method " + name + " does not exist for this module");
    }
    return new MethodMetadata(name, new String[] {"XnnpackBackend"});
  }

  public String[] readLogBuffer() {
    checkAlive();
    return LOG.clone();
  }

  public void destroy() {
    if (!lock.tryLock()) {
      throw new IllegalStateException("Cannot destroy module while method is executing");
    }
    try {
      if (program != null) {
        program.free();
        program = null;
        ThreadPool.openModules--;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    destroy();
  }

  private void checkAlive() {
    if (program == null) {
      throw new IllegalStateException("Module has been destroyed");
    }
  }
}
