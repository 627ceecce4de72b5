export type EscapeInput =
	| { readonly kind: 'data'; readonly bytes: Uint8Array }
	/** `~.`: leave. */
	| { readonly kind: 'leave' }
	/** `~?`: show what there is. */
	| { readonly kind: 'help' }

const TILDE = 0x7e
const DOT = 0x2e
const QUESTION = 0x3f
const LINE_ENDS: ReadonlySet<number> = new Set([0x0d, 0x0a])

/**
 * Finds `~.` and `~?` at the start of a line, as ssh does, in any chunking: a tilde there is held back until the next
 * key says what it was. `~~` sends one tilde.
 */
export class EscapeFilter {
	#isLineStart = true
	#isHeld = false

	push(chunk: Uint8Array): readonly EscapeInput[] {
		const out: EscapeInput[] = []
		let plain: number[] = []
		const flush = (): void => {
			if (plain.length > 0) out.push({ kind: 'data', bytes: Uint8Array.from(plain) })
			plain = []
		}
		for (const byte of chunk) {
			if (this.#isHeld) {
				this.#isHeld = false
				if (byte === DOT || byte === QUESTION) {
					flush()
					out.push({ kind: byte === DOT ? 'leave' : 'help' })
					this.#isLineStart = true
					continue
				}
				plain.push(TILDE)
				if (byte === TILDE) {
					this.#isLineStart = false
					continue
				}
			} else if (this.#isLineStart && byte === TILDE) {
				this.#isHeld = true
				continue
			}
			plain.push(byte)
			this.#isLineStart = LINE_ENDS.has(byte)
		}
		flush()
		return out
	}
}
