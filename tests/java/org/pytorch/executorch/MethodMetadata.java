package org.pytorch.executorch;

/** Name and backends of a method: no shapes, as in the real class. Stand-in for tests. */
public class MethodMetadata {
  private final String name;
  private final String[] backends;

  MethodMetadata(String name, String[] backends) {
    this.name = name;
    this.backends = backends;
  }

  public String getName() {
    return name;
  }

  public String[] getBackends() {
    return backends;
  }
}
