import { closeFromCode } from '@sallyport/protocol'
import { LinkError } from '../errors.ts'
import type { ChannelOpenFault } from '../secure-channel/handshake-inbox.ts'

/** A failed handshake in words for the person who tried. */
export function errorFromOpenFault(fault: ChannelOpenFault): LinkError {
	switch (fault.code) {
		case 'NODE_KEY_CHANGED':
			return new LinkError(
				'key_changed',
				'the machine that answered is not the one this device was paired with: its key is another. Nothing was sent to it. If the machine was reinstalled, remove the pairing and pair again; if not, someone is in between',
			)
		case 'CERTIFICATE_SERIAL_OLD':
			return new LinkError(
				'key_changed',
				'the machine showed an older certificate than before: its state may have been copied or restored',
			)
		case 'CERTIFICATE_EXPIRED':
		case 'CERTIFICATE_NOT_YET_VALID':
			return new LinkError(
				'handshake_failed',
				'the certificates of machine and device do not fit in time: check the clocks of both',
			)
		case 'VERSION_UNSUPPORTED':
		case 'SUITE_UNSUPPORTED':
			return new LinkError('handshake_failed', 'machine and device speak different versions: upgrade the older one')
		case 'HANDSHAKE_TIMED_OUT':
			return new LinkError('timed_out', 'the machine did not answer in time', { retry: true })
		case 'CONNECTION_CLOSED': {
			const close = closeFromCode(fault.close?.code ?? 1006)
			return new LinkError(close.name === 'handshake_failed' ? 'handshake_failed' : 'link_ended', close.message, {
				retry: close.retry,
			})
		}
		default:
			return new LinkError('handshake_failed', `machine and device could not agree on keys (${fault.detail})`)
	}
}
