package weather;

import chat.claw.v1.*;
import com.google.protobuf.Duration;
import io.grpc.*;
import io.grpc.stub.*;
import java.util.*;
import java.util.concurrent.*;

/** A consumer: asks for the weather of the cities it is given, one after the other. */
public final class Consumer {
  private static Iterator<String> cities;
  /** What was said last. */
  private static ConnectRequest said;
  private static String chat = "";
  private static long handled;
  private static long pauseMs = 100;

  public static void main(String[] args) throws Exception {
    System.setOut(new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8"));
    // Nothing is lost by leaving at once: what is not acknowledged comes again.
    List.of("INT", "TERM").forEach(name -> sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> System.exit(0)));
    var env = System.getenv();
    var headers = new HashMap<>(Map.of("claw-agent-id", env.getOrDefault("CLAW_AGENT", "weather-consumer")));
    headers.put("claw-receive", "manual");
    Optional.ofNullable(env.get("CLAW_API_KEY")).ifPresent(key -> headers.put("authorization", "Bearer " + key));
    var identity = new Metadata();
    headers.forEach((name, value) -> identity.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    var channel = ManagedChannelBuilder.forTarget(env.getOrDefault("CLAW_HUB", "localhost:8765")).usePlaintext()
        .intercept(MetadataUtils.newAttachHeadersInterceptor(identity)).keepAliveTime(20, TimeUnit.SECONDS).build();
    cities = List.of(args.length > 0 ? args : new String[] {"Beijing"}).iterator();
    said = ConnectRequest.newBuilder().setChatRequest(ChatRequest.newBuilder().setIdempotencyKey("" + UUID.randomUUID())
        .setServiceId(env.getOrDefault("CLAW_SERVICE", "weather-svc")).setContent("The weather, please")).build();

    // gRPC would wait in its own way before it connects again; to be idle makes it forget that.
    for (; ; pauseMs = Math.min(2 * pauseMs, 10_000), channel.enterIdle()) {
      try {
        var wait = listen(ChatHubGrpc.newBlockingV2Stub(channel).connect());
        Thread.sleep(wait.getSeconds() * 1000 + wait.getNanos() / 1_000_000);
      } catch (StatusException failed) {
        // A refusal that names no time after which to ask again would only be repeated.
        var trailers = failed.getTrailers() == null ? Set.of() : failed.getTrailers().keys();
        if (trailers.contains("claw-reason") && !trailers.contains("claw-retry-after-ms")) throw failed;
      }
      Thread.sleep(ThreadLocalRandom.current().nextLong(pauseMs, 2 * pauseMs));
    }
  }

  /** Hears what the hub says, until the session ends; returns how long it asks to stay away. */
  private static Duration listen(BlockingClientCall<ConnectRequest, ConnectResponse> session) throws Exception {
    // It may have got no receipt in the session before. Where it has got one, the hub knows it again.
    put(session);
    // hasNext would throw away what came before the hub ended the session, such as go_away; read does not.
    for (var heard = session.read(); heard != null; heard = session.read()) {
      if (heard.getError().getRetryable()) return heard.getError().getRetryAfter();
      if (heard.getGoAway().getReconnect()) return heard.getGoAway().getReconnectAfter();
      if (heard.hasGoAway() || heard.hasError()) throw new IllegalStateException(heard.toString());
      var receipt = heard.getReceiptsCount() > 0 ? heard.getReceipts(0) : Receipt.getDefaultInstance();
      // An answer that came before it was known which chat is ours was not acknowledged: another session has it.
      var isUnknown = chat.isEmpty();
      if (isUnknown) chat = receipt.getChannelId();
      if (isUnknown && !chat.isEmpty()) break;
      var before = said;
      var over = heard.hasChatReject() ? heard.getChatReject().getChannelId() : heard.getChatEnd().getChannelId();
      var reason = heard.getChatReject().getReason() + heard.getChatEnd().getReason();
      if (!over.isEmpty() && over.equals(chat)) leave("rejected: " + reason, 1);
      if (heard.hasChatHistory()) leave(heard.getChatHistory().getMessagesCount() + " messages are kept", 0);
      if (heard.hasChatAccept()) say(heard.getChatAccept().getChannelId(), heard.getChatAccept().getSeq(), "accepted");
      var message = heard.getChatMessage();
      var line = message.getSenderId() + " says: " + message.getContent();
      if (heard.hasChatMessage()) say(message.getChannelId(), message.getSeq(), line);
      var history = ConnectRequest.newBuilder().setChatHistory(ChatHistory.newBuilder().setChannelId(chat));
      if (said.hasChatEnd() && receipt.getSeq() > handled) said = history.build();
      if (said != before) put(session);
    }
    return Duration.getDefaultInstance();
  }

  /** Says what follows from an entry, with the word that it is handled: the hub stores both, or neither. */
  private static void say(String channelId, long seq, String line) {
    if (!channelId.equals(chat) || seq <= handled) return;
    System.out.println(line);
    handled = seq;
    pauseMs = 100;
    var next = ConnectRequest.newBuilder().addAcks(ChannelPosition.newBuilder().setChannelId(chat).setSeq(seq));
    var message = ChatMessage.newBuilder().setChannelId(chat).setMessageId(chat + "-" + seq);
    var end = ChatEnd.newBuilder().setChannelId(chat).setCode(EndCode.END_CODE_COMPLETED);
    said = (cities.hasNext() ? next.setChatMessage(message.setContent(cities.next())) : next.setChatEnd(end)).build();
  }

  private static void put(BlockingClientCall<ConnectRequest, ConnectResponse> session) throws InterruptedException {
    try {
      session.write(said);
    } catch (StatusException ended) {
      // Reading says why, behind what came before.
    }
  }

  private static void leave(String line, int code) {
    System.out.println(line);
    System.exit(code);
  }
}
