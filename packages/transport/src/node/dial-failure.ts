import type { TransportErrorCode } from '../errors.ts'
import { TransportError } from '../errors.ts'

const BY_SYSTEM_CODE: Readonly<Record<string, readonly [TransportErrorCode, string]>> = {
	ECONNREFUSED: ['DIAL_REFUSED', 'refused the connection: nothing listens there'],
	ECONNRESET: ['DIAL_REFUSED', 'reset the connection'],
	EPIPE: ['DIAL_REFUSED', 'reset the connection'],
	ENOTFOUND: ['DIAL_DNS', 'has a name that is not known'],
	EAI_AGAIN: ['DIAL_DNS', 'has a name that could not be looked up now'],
	ETIMEDOUT: ['DIAL_TIMEOUT', 'did not answer in time'],
	EHOSTUNREACH: ['DIAL_UNREACHABLE', 'cannot be reached from here'],
	ENETUNREACH: ['DIAL_UNREACHABLE', 'cannot be reached from here'],
	EADDRNOTAVAIL: ['DIAL_UNREACHABLE', 'cannot be reached from here'],
	ENETDOWN: ['DIAL_UNREACHABLE', 'cannot be reached from here'],
	EPROTO: ['DIAL_TLS', 'does not speak TLS as expected'],
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['DIAL_TLS', 'has a certificate whose issuer is not trusted here'],
	DEPTH_ZERO_SELF_SIGNED_CERT: ['DIAL_TLS', 'has a self-signed certificate that is not trusted here'],
	SELF_SIGNED_CERT_IN_CHAIN: ['DIAL_TLS', 'has a certificate whose issuer is not trusted here'],
	CERT_HAS_EXPIRED: ['DIAL_TLS', 'has an expired certificate'],
	CERT_NOT_YET_VALID: ['DIAL_TLS', 'has a certificate that is not valid yet'],
}

/** Names what went wrong while dialling, from the error that Node or `ws` gave. */
export function dialFailure(origin: string, error: Error): TransportError {
	const code = systemCode(error)
	const known = BY_SYSTEM_CODE[code]
	if (known !== undefined) return new TransportError(known[0], `${origin} ${known[1]}`, { cause: error })
	if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.includes('CERT'))
		return new TransportError('DIAL_TLS', `${origin} has a certificate or TLS that is not accepted (${code})`, { cause: error })
	if (error.message === 'Opening handshake has timed out')
		return new TransportError('DIAL_TIMEOUT', `${origin} did not answer in time`, { cause: error })
	return new TransportError('DIAL_FAILED', `${origin} could not be dialled (${code === '' ? error.message : code})`, {
		cause: error,
	})
}

/** The system's code; of several attempts (IPv6, IPv4) that of the first. */
function systemCode(error: Error): string {
	if ('code' in error && typeof error.code === 'string') return error.code
	if (error instanceof AggregateError && error.errors[0] instanceof Error) return systemCode(error.errors[0])
	return ''
}
