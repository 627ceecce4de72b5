import { bytesToBase64Url } from './bytes.ts'

/** JSON text of a message for a hop or a control frame; byte fields become base64url. */
export function encodeMessage(message: { readonly op: string }): string {
	return JSON.stringify(message, bytesAsText)
}

/** Looks at the holder, since a Node `Buffer` has turned itself into an object by the time `value` is passed. */
function bytesAsText(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
	const original = this[key]
	return original instanceof Uint8Array ? bytesToBase64Url(original) : value
}
