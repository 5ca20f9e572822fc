package org.pytorch.executorch;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

/**
 * The native thread pool, one for the whole process. The real library makes a new one whenever a
 * module is loaded with another number of threads; methods loaded before keep a pointer to the old
 * one. Also counts what tests want to know. Not a class of the real API.
 */
public final class ThreadPool {
  static final int DEFAULT = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private static int threads = DEFAULT;
  private static int generation = 0;

  static int openModules = 0;
  static int lastLoadMode = -1;
  static int executions = 0;

  private ThreadPool() {}

  static void reset(int wanted) {
    int count = wanted != 0 ? wanted : DEFAULT;
    if (count != threads) {
      threads = count;
      generation++;
    }
  }

  static int generation() {
    return generation;
  }

  public static int threads() {
    return threads;
  }

  public static int openModules() {
    return openModules;
  }

  public static int lastLoadMode() {
    return lastLoadMode;
  }

  public static int executions() {
    return executions;
  }

  /** Direct buffers of this process, pooled ones included. */
  public static long directBuffers() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getCount)
        .sum();
  }
}
