/**
 * The one door to the generated code: everything else imports the wire types
 * from here, so that another generator would change this file alone.
 */
export {
  AcceptPolicy,
  Channel,
  ChannelPosition,
  ChannelProgress,
  ChannelState,
  ChatAccept,
  ChatEnd,
  ChatError,
  ChatHistory,
  ChatHistoryPage,
  ChatHubClient,
  type ChatHubServer,
  ChatHubService,
  ChatMessage,
  ChatReject,
  ChatRequest,
  ConnectRequest,
  ConnectResponse,
  EndCode,
  GoAway,
  ListChannelsRequest,
  ListChannelsResponse,
  ListServicesRequest,
  ListServicesResponse,
  MemberPosition,
  Receipt,
  ReceiveMode,
  RegisterServiceRequest,
  RegisterServiceResponse,
  RejectCode,
  Service,
  SessionLimits,
  SessionStarted,
  UnregisterServiceRequest,
  UnregisterServiceResponse,
} from "../../gen/claw/chat/v1/chat_hub.js";
export type { Duration } from "../../gen/google/protobuf/duration.js";
export { Timestamp } from "../../gen/google/protobuf/timestamp.js";
