import { lengthPrefixed, utf8ToBytes } from '@sallyport/protocol'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { KEY_BYTES } from '../crypto/crypto-effects.ts'
import { hkdf } from '../crypto/hkdf.ts'

const LABEL = 'sallyport-link-psk-v1'

/** A one-use secret that pairs: of a join text or an invite. */
export interface PairingSecret {
	/** The enrol token's or the invite's id: sent in clear, selects the secret. */
	readonly id: string
	readonly secret: Uint8Array
	/** The relay's origin as the secret's text names it. */
	readonly origin: string
}

/** The psk of every handshake without a secret: there both identities are pinned, or are being compared by code. */
export const NO_PSK: Uint8Array = new Uint8Array(KEY_BYTES)

/** psk = HKDF-SHA-256(secret, salt: label, info: origin and secret id, each length-prefixed). */
export function linkPsk(pairing: PairingSecret): Crypto<Uint8Array> {
	return hkdf(pairing.secret, utf8ToBytes(LABEL), lengthPrefixed([utf8ToBytes(pairing.origin), utf8ToBytes(pairing.id)]))
}
