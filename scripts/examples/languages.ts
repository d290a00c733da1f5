/** An example in another language: how it is built and started, in its folder below `examples/`. */
export interface Language {
  /** For people, such as Python. */
  name: string;
  /** Its folder below `examples/`, and its name on the command line. */
  folder: string;
  /** Exits with 0 where everything is here that building needs. */
  needs: string;
  /** What `needs` looks for, for people. */
  needed: string;
  /** What builds it: shell commands, one after the other, as they stand in its README. */
  build: readonly string[];
  /** The program and its arguments; a consumer is given the cities after them. */
  provider: readonly string[];
  consumer: readonly string[];
  /** The files that each side consists of, beside what is generated. */
  sources: { provider: string[]; consumer: string[] };
}

/** Every language there is an example in. */
export const LANGUAGES: readonly Language[] = [
  {
    name: "Python",
    folder: "python",
    needs: `python3 -c "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"`,
    needed: "Python 3.10 or newer with venv (Debian: python3-venv)",
    build: [
      "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
      ".venv/bin/python -m grpc_tools.protoc -I ../../proto --python_out=. --pyi_out=. --grpc_python_out=. claw/chat/v1/chat_hub.proto",
    ],
    provider: [".venv/bin/python", "provider.py"],
    consumer: [".venv/bin/python", "consumer.py"],
    sources: { provider: ["provider.py"], consumer: ["consumer.py"] },
  },
  {
    name: "Go",
    folder: "go",
    needs: `go version | grep -E 'go1\\.(2[1-9]|[3-9][0-9])'`,
    needed: "Go 1.21 or newer; it fetches the version that go.mod names",
    build: ["npx buf generate", "go build -o bin/ ./provider ./consumer"],
    provider: ["bin/provider"],
    consumer: ["bin/consumer"],
    sources: { provider: ["provider/main.go"], consumer: ["consumer/main.go"] },
  },
  {
    name: "Rust",
    folder: "rust",
    needs: "cargo --version",
    needed: "Rust 1.88 or newer, with cargo",
    build: ["cargo build --locked"],
    provider: ["target/debug/provider"],
    consumer: ["target/debug/consumer"],
    sources: {
      provider: ["src/lib.rs", "src/bin/provider.rs"],
      consumer: ["src/lib.rs", "src/bin/consumer.rs"],
    },
  },
  {
    name: "Java",
    folder: "java",
    needs: "javac --version && mvn --version",
    needed: "a JDK, 17 or newer, and Maven (Debian: default-jdk-headless, maven)",
    build: ["mvn -q process-classes"],
    provider: ["java", "-cp", "target/weather.jar", "weather.Provider"],
    consumer: ["java", "-cp", "target/weather.jar", "weather.Consumer"],
    sources: {
      provider: ["src/main/java/weather/Provider.java"],
      consumer: ["src/main/java/weather/Consumer.java"],
    },
  },
];
