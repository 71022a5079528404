import type { BareFrameType, ServerFrameData, ServerFrameType } from '../../../lib/wire/frames.ts';

/** Encodes a complete, unmasked WebSocket text frame, which can be written to any number of sockets. */
export function encodeFrame<T extends ServerFrameType>(type: T, data: ServerFrameData[T]): Buffer;
export function encodeFrame(type: BareFrameType<ServerFrameData>): Buffer;
export function encodeFrame(type: ServerFrameType, data?: unknown): Buffer {
  return encodeForeignFrame(type, data);
}

/** Encodes a frame from another service. Its type may be unknown here, because that service may be of a newer version. */
export function encodeForeignFrame(type: string, data?: unknown): Buffer {
  const json =
    data === undefined
      ? `{"type":${JSON.stringify(type)},"timestamp":${Date.now()}}`
      : `{"type":${JSON.stringify(type)},"data":${JSON.stringify(data)},"timestamp":${Date.now()}}`;
  return textFrame(json);
}

const finalText = 0x81;

function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = finalText;
  if (header === 2) {
    frame[1] = length;
  } else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, header, 'utf8');
  return frame;
}
