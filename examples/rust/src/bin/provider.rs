//! A provider: tells the weather to whoever asks, until SIGINT or SIGTERM.

use std::{collections::HashMap, env, sync::Once, time::Duration};

use futures_channel::mpsc::unbounded;
use tonic::{Code, Extensions, Request, Status, metadata::MetadataMap, transport::Endpoint};
use weather::{chat_hub_client::ChatHubClient, connect_request::Frame as Out, connect_response::Frame as In, *};

const SECOND: Duration = Duration::from_secs(1);
/// Coming back would be answered in the same way.
const FINAL: [Code; 5] =
    [Code::Aborted, Code::AlreadyExists, Code::InvalidArgument, Code::PermissionDenied, Code::Unauthenticated];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // Nothing is lost by leaving at once: what is not acknowledged comes again.
    ctrlc::set_handler(|| std::process::exit(0))?;
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.into());
    let mut headers = HashMap::from([("claw-receive".to_owned(), "manual".to_owned())]);
    headers.insert("claw-agent-id".into(), setting("CLAW_AGENT", "weather-provider"));
    headers.extend(env::var("CLAW_API_KEY").map(|key| ("authorization".into(), format!("Bearer {key}"))));
    let identity = MetadataMap::from_headers((&headers).try_into()?);
    let endpoint = Endpoint::from_shared(format!("http://{}", setting("CLAW_HUB", "localhost:8765")))?;
    let mut hub = ChatHubClient::new(endpoint.http2_keep_alive_interval(SECOND * 20).connect_lazy());
    let (service_id, description) = (setting("CLAW_SERVICE", "weather-svc"), "Tells the weather of a city".into());
    let service = Some(Service { service_id, description, ..Default::default() });
    let offer = RegisterServiceRequest { service };

    let (ready, mut handled, mut pause) = (Once::new(), HashMap::new(), SECOND / 10);
    loop {
        let session = async {
            hub.register_service(Request::from_parts(identity.clone(), Extensions::new(), offer.clone())).await?;
            // A task of its own reads and writes the connection, so putting something out takes no time.
            let (outbox, outgoing) = unbounded();
            let call = Request::from_parts(identity.clone(), Extensions::new(), outgoing);
            let mut incoming = hub.connect(call).await?.into_inner();
            while let Some(response) = incoming.message().await? {
                match response.frame {
                    Some(In::SessionStarted(_)) => ready.call_once(|| println!("ready")),
                    Some(In::GoAway(it)) if it.reconnect => return Ok(it.reconnect_after),
                    Some(In::GoAway(it)) => return Err(Status::aborted(it.message)),
                    Some(In::Error(it)) if it.retryable => return Ok(it.retry_after),
                    Some(In::Error(it)) => eprintln!("{}: {}", it.reason, it.message),
                    frame => {
                        let Some((channel_id, seq, line, frame)) = frame.and_then(answer) else { continue };
                        // What had no receipt was not acknowledged either. It comes again and is answered
                        // again, under the same id, but it is not told again.
                        if handled.get(&channel_id) < Some(&seq) {
                            print!("{line}");
                            handled.insert(channel_id.clone(), seq);
                        }
                        let acks = vec![ChannelPosition { channel_id, seq }];
                        let _ = outbox.unbounded_send(ConnectRequest { acks, frame, ..Default::default() });
                        pause = SECOND / 10;
                    }
                }
            }
            Ok(None)
        };
        pause = match session.await {
            Ok(Some(asked)) => asked.try_into()?,
            Err(status) if FINAL.contains(&status.code()) => return Err(status.into()),
            _ => (pause * 2).min(SECOND * 10).mul_f64(0.75 + fastrand::f64() / 2.0),
        };
        tokio::time::sleep(pause).await;
    }
}

/// The channel and seq of an entry, what there is to print, and the answer.
fn answer(entry: In) -> Option<(String, u64, String, Option<Out>)> {
    match entry {
        In::ChatRequest(it) => {
            let line = format!("{} asks: {}\n", it.consumer_id, it.content);
            let (channel_id, content) = (it.channel_id.clone(), "Which city?".into());
            let accept = ChatAccept { channel_id, content, ..Default::default() };
            Some((it.channel_id, it.seq, line, Some(Out::ChatAccept(accept))))
        }
        In::ChatMessage(it) => {
            let line = format!("{} says: {}\n", it.sender_id, it.content);
            let message_id = format!("answer-{}-{}", it.channel_id, it.seq);
            let (channel_id, content) = (it.channel_id.clone(), format!("{}: sunny, 25 °C", it.content));
            let reply = ChatMessage { message_id, channel_id, content, reply_to: it.message_id, ..Default::default() };
            Some((it.channel_id, it.seq, line, Some(Out::ChatMessage(reply))))
        }
        In::ChatReject(it) => Some((it.channel_id, it.seq, String::new(), None)),
        In::ChatEnd(it) => Some((it.channel_id, it.seq, String::new(), None)),
        _ => None,
    }
}
