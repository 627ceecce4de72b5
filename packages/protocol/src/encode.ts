import { bytesToBase64Url } from './bytes.ts'

/** JSON text of a message for a hop or a control frame; byte fields become base64url. */
export function encodeMessage(message: { readonly op: string }): string {
	return JSON.stringify(message, (_key, value: unknown) => (value instanceof Uint8Array ? bytesToBase64Url(value) : value))
}
