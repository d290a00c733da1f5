//! A consumer: asks for the weather of the cities it is given, one after the other.

use std::{collections::HashMap, env, process::exit, time::Duration};

use futures_channel::mpsc::unbounded;
use tonic::{Code, Extensions, Request, Status, metadata::MetadataMap, transport::Endpoint};
use weather::{chat_hub_client::ChatHubClient, connect_request::Frame as Out, connect_response::Frame as In, *};

/// Coming back would be answered in the same way.
const FINAL: [Code; 4] = [Code::Aborted, Code::InvalidArgument, Code::PermissionDenied, Code::Unauthenticated];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // Nothing is lost by leaving at once: what is not acknowledged comes again.
    ctrlc::set_handler(|| exit(0))?;
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.into());
    let mut headers = HashMap::from([("claw-receive".to_owned(), "manual".to_owned())]);
    headers.insert("claw-agent-id".into(), setting("CLAW_AGENT", "weather-consumer"));
    headers.extend(env::var("CLAW_API_KEY").map(|key| ("authorization".into(), format!("Bearer {key}"))));
    let identity = MetadataMap::from_headers((&headers).try_into()?);
    let endpoint = Endpoint::from_shared(format!("http://{}", setting("CLAW_HUB", "localhost:8765")))?;
    let mut hub = ChatHubClient::new(endpoint.http2_keep_alive_interval(Duration::from_secs(20)).connect_lazy());

    // Beijing, where no city is given.
    let mut cities = env::args().skip(1).chain(["Beijing".into()]).take((env::args().len() - 1).max(1));
    let (service_id, content) = (setting("CLAW_SERVICE", "weather-svc"), "The weather, please".into());
    let idempotency_key = format!("{:032x}", fastrand::u128(..));
    let ask = ChatRequest { service_id, content, idempotency_key, ..Default::default() };
    let mut said = ConnectRequest { frame: Some(Out::ChatRequest(ask)), ..Default::default() };
    let (mut chat, mut handled, mut pause) = (String::new(), 0, Duration::from_millis(100));
    loop {
        let session = async {
            // A task of its own reads and writes the connection, so putting something out takes no time. What
            // was said last is said again: it may have got no receipt, and where it has, the hub knows it.
            let (outbox, outgoing) = unbounded();
            let _ = outbox.unbounded_send(said.clone());
            let call = Request::from_parts(identity.clone(), Extensions::new(), outgoing);
            let mut incoming = hub.connect(call).await?.into_inner();
            while let Some(response) = incoming.message().await? {
                let receipt = response.receipts.into_iter().next().unwrap_or_default();
                let (seq, line) = match response.frame {
                    Some(In::GoAway(it)) if it.reconnect => return Ok(it.reconnect_after),
                    Some(In::GoAway(it)) => return Err(Status::aborted(it.message)),
                    Some(In::Error(it)) if it.retryable => return Ok(it.retry_after),
                    Some(In::Error(it)) => return Err(Status::aborted(it.message)),
                    Some(In::ChatAccept(it)) if it.channel_id == chat => (it.seq, "accepted\n".into()),
                    Some(In::ChatReject(it)) if it.channel_id == chat => leave(1, format!("rejected: {}", it.reason)),
                    Some(In::ChatEnd(it)) if it.channel_id == chat => leave(1, format!("ended: {}", it.reason)),
                    Some(In::ChatHistory(it)) => leave(0, format!("{} messages are kept", it.messages.len())),
                    Some(In::ChatMessage(it)) if it.channel_id == chat => {
                        (it.seq, format!("{} says: {}\n", it.sender_id, it.content))
                    }
                    None if chat.is_empty() && !receipt.channel_id.is_empty() => {
                        // Now it is known which chat is ours. An answer that was here before that was not
                        // acknowledged: the next session brings it again.
                        chat = receipt.channel_id;
                        return Ok(None);
                    }
                    None if matches!(said.frame, Some(Out::ChatEnd(_))) => (receipt.seq, String::new()),
                    _ => continue,
                };
                if seq > handled {
                    print!("{line}");
                    (handled, pause) = (seq, Duration::from_millis(100));
                    said = next(&said, ChannelPosition { channel_id: chat.clone(), seq }, cities.next());
                    let _ = outbox.unbounded_send(said.clone());
                }
            }
            Ok(None)
        };
        pause = match session.await {
            Ok(Some(asked)) => asked.try_into()?,
            Err(status) if FINAL.contains(&status.code()) => return Err(status.into()),
            _ => (pause * 2).min(Duration::from_secs(10)).mul_f64(0.75 + fastrand::f64() / 2.0),
        };
        tokio::time::sleep(pause).await;
    }
}

/// What is said next, with the word that everything up to a place is handled: both are stored, or neither is.
fn next(said: &ConnectRequest, handled: ChannelPosition, city: Option<String>) -> ConnectRequest {
    let (channel_id, message_id) = (handled.channel_id.clone(), format!("{}-{}", handled.channel_id, handled.seq));
    let frame = match (city, &said.frame) {
        (Some(content), _) => Out::ChatMessage(ChatMessage { message_id, channel_id, content, ..Default::default() }),
        (None, Some(Out::ChatEnd(_))) => Out::ChatHistory(ChatHistory { channel_id, ..Default::default() }),
        _ => Out::ChatEnd(ChatEnd { channel_id, code: EndCode::Completed.into(), ..Default::default() }),
    };
    ConnectRequest { acks: vec![handled], frame: Some(frame), ..Default::default() }
}

fn leave(code: i32, words: String) -> ! {
    println!("{words}");
    exit(code)
}
