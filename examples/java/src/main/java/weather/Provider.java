package weather;

import chat.claw.v1.*;
import io.grpc.*;
import io.grpc.stub.*;
import java.util.*;
import java.util.concurrent.*;

/** A provider: tells the weather to whoever asks, until SIGINT or SIGTERM. */
public final class Provider {
  private static final Map<String, Long> handled = new HashMap<>();
  private static final Iterator<String> greeting = List.of("ready").iterator();
  private static final ExecutorService writer = Executors.newSingleThreadExecutor();
  private static long pauseMs = 100;

  public static void main(String[] args) throws Exception {
    System.setOut(new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8"));
    // Nothing is lost by leaving at once: what is not acknowledged comes again.
    List.of("INT", "TERM").forEach(name -> sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> System.exit(0)));
    var env = System.getenv();
    var headers = new HashMap<>(Map.of("claw-agent-id", env.getOrDefault("CLAW_AGENT", "weather-provider")));
    headers.put("claw-receive", "manual");
    Optional.ofNullable(env.get("CLAW_API_KEY")).ifPresent(key -> headers.put("authorization", "Bearer " + key));
    var identity = new Metadata();
    headers.forEach((name, value) -> identity.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    var channel = ManagedChannelBuilder.forTarget(env.getOrDefault("CLAW_HUB", "localhost:8765")).usePlaintext()
        .intercept(MetadataUtils.newAttachHeadersInterceptor(identity)).keepAliveTime(20, TimeUnit.SECONDS).build();
    var service = Service.newBuilder().setServiceId(env.getOrDefault("CLAW_SERVICE", "weather-svc"))
        .setDescription("Tells the weather of a city");
    var hub = ChatHubGrpc.newBlockingV2Stub(channel);

    try {
      // gRPC would wait in its own way before it connects again; to be idle makes it forget that.
      for (; ; pauseMs = Math.min(2 * pauseMs, 10_000), channel.enterIdle()) {
        try {
          hub.registerService(RegisterServiceRequest.newBuilder().setService(service).build());
          var wait = listen(hub.connect());
          Thread.sleep(wait.getSeconds() * 1000 + wait.getNanos() / 1_000_000);
        } catch (StatusException failed) {
          // A refusal that names no time after which to ask again would only be repeated.
          var trailers = failed.getTrailers() == null ? Set.of() : failed.getTrailers().keys();
          if (trailers.contains("claw-reason") && !trailers.contains("claw-retry-after-ms")) throw failed;
        }
        Thread.sleep(ThreadLocalRandom.current().nextLong(pauseMs, 2 * pauseMs));
      }
    } finally {
      writer.shutdown();
    }
  }

  /** Hears what the hub says, until the session ends; returns how long it asks to stay away. */
  private static com.google.protobuf.Duration listen(BlockingClientCall<ConnectRequest, ConnectResponse> session)
      throws StatusException, InterruptedException {
    // hasNext would throw away what came before the hub ended the session, such as go_away; read does not.
    for (var heard = session.read(); heard != null; heard = session.read()) {
      if (heard.getError().getRetryable()) return heard.getError().getRetryAfter();
      if (heard.getGoAway().getReconnect()) return heard.getGoAway().getReconnectAfter();
      if (heard.hasGoAway()) throw new IllegalStateException(heard.getGoAway().getMessage());
      var answer = ConnectRequest.newBuilder();
      switch (heard.getFrameCase()) {
        case SESSION_STARTED -> greeting.forEachRemaining(System.out::println);
        case ERROR -> System.err.println(heard.getError().getMessage());
        case CHAT_REQUEST -> {
          var it = heard.getChatRequest();
          tell(it.getChannelId(), it.getSeq(), it.getConsumerId() + " asks: " + it.getContent() + "\n", answer);
          answer.setChatAccept(ChatAccept.newBuilder().setChannelId(it.getChannelId()).setContent("Which city?"));
        }
        case CHAT_MESSAGE -> {
          var it = heard.getChatMessage();
          tell(it.getChannelId(), it.getSeq(), it.getSenderId() + " says: " + it.getContent() + "\n", answer);
          answer.setChatMessage(ChatMessage.newBuilder().setChannelId(it.getChannelId()).setReplyTo(it.getMessageId())
              .setMessageId(it.getChannelId() + "-" + it.getSeq()).setContent(it.getContent() + ": sunny, 25 °C"));
        }
        case CHAT_REJECT -> tell(heard.getChatReject().getChannelId(), heard.getChatReject().getSeq(), "", answer);
        case CHAT_END -> tell(heard.getChatEnd().getChannelId(), heard.getChatEnd().getSeq(), "", answer);
      }
      if (answer.getAcksCount() > 0) writer.submit(() -> session.write(answer.build()));
    }
    return com.google.protobuf.Duration.getDefaultInstance();
  }

  /** Tells an entry that is new, and acknowledges it with the answer: the hub stores both, or neither. */
  private static void tell(String channelId, long seq, String line, ConnectRequest.Builder answer) {
    if (handled.getOrDefault(channelId, 0L) < seq) {
      System.out.print(line);
      handled.put(channelId, seq);
    }
    answer.addAcks(ChannelPosition.newBuilder().setChannelId(channelId).setSeq(seq));
    pauseMs = 100;
  }
}
