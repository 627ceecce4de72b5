import type { Clock } from '@sallyport/carrier'
import type { DialRequest, LinkSocketMessage, Logger, NodeMessage } from '@sallyport/protocol'
import { CLOSE, encodeMessage, LIMITS, PROTOCOL_VERSION, parseLinkBoundMessage, parseToken } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { errorText } from '../errors.ts'
import type { RelayKnock } from '../gate/knock.ts'
import type { RelayPin } from '../state/relay-pin.ts'
import { parseRelayOrigin, socketUrl } from './origin.ts'

export interface DialBackDeps {
	readonly pin: RelayPin
	/** Origins that the relay listed on its authenticated socket. */
	readonly listedOrigins: () => readonly string[]
	readonly allowPlainHttp: boolean
	readonly dial: (url: string, signal: AbortSignal) => Promise<MessageSocket>
	/** Takes a socket on which `opened` was said. */
	readonly accept: (socket: MessageSocket, context: RelayKnock) => void
	readonly send: (message: NodeMessage) => void
	readonly clock: Clock
	readonly log: Logger
}

const OUTSTANDING_MAX = 64

/** Answers a relay's `dial`: a socket of its own for each link, to origins that are pinned or listed, and nowhere else. */
export class DialBack {
	readonly #deps: DialBackDeps
	#outstanding = 0

	constructor(deps: DialBackDeps) {
		this.#deps = deps
	}

	async handle(request: DialRequest): Promise<void> {
		const deps = this.#deps
		const ticket = parseToken(request.link_ticket)
		const ticketId = ticket.ok ? ticket.value.id : ''
		const fail = (reason: string): void => {
			deps.log.warn('dial of the relay was not followed', { reason })
			deps.send({ op: 'dial_failed', ticket_id: ticketId, reason: reason.slice(0, 256) })
		}
		if (!ticket.ok || ticket.value.kind !== 'link_ticket') return fail('the ticket is none')
		if (!this.#isAllowed(request.origin)) return fail('the origin is neither pinned nor listed')
		if (this.#outstanding >= OUTSTANDING_MAX) return fail('too many dials at once')
		this.#outstanding++
		try {
			await this.#dial(request)
		} catch (error) {
			fail(errorText(error))
		} finally {
			this.#outstanding--
		}
	}

	#isAllowed(origin: string): boolean {
		const { pin, listedOrigins, allowPlainHttp } = this.#deps
		if (origin !== pin.dial_origin && !listedOrigins().includes(origin)) return false
		const parsed = parseRelayOrigin(origin, { allowPlainHttp })
		return 'origin' in parsed && parsed.origin === origin
	}

	async #dial(request: DialRequest): Promise<void> {
		const deps = this.#deps
		const socket = await deps.dial(socketUrl(request.origin, '/api/nodes/link'), AbortSignal.timeout(LIMITS.linkTicketMs))
		await new Promise<void>((resolve, reject) => {
			const cancel = deps.clock.setTimer(LIMITS.helloMs, () =>
				end(CLOSE.timedOut.code, 'the relay did not open the link in time'),
			)
			const end = (code: number, reason: string): void => {
				cancel()
				socket.close(code, reason)
				reject(new Error(reason))
			}
			socket.setHandlers({
				onText: (text) => {
					const message = parseLinkBoundMessage(text)
					if (!message.ok) return end(CLOSE.badRequest.code, `the relay's message was not understood (${message.error.code})`)
					if (message.value.op === 'refused')
						return end(CLOSE.normal.code, `the relay refused the ticket: ${message.value.reason}`)
					if (message.value.op === 'auth_required') {
						if (message.value.relay_id !== deps.pin.relay_id)
							return end(CLOSE.forbidden.code, 'another relay answered than the one that was pinned')
						const hello: LinkSocketMessage = { op: 'hello', version: PROTOCOL_VERSION, link_ticket: request.link_ticket }
						socket.sendText(encodeMessage(hello))
						return undefined
					}
					cancel()
					const { user } = request
					deps.accept(socket, {
						via: 'relay',
						origin: deps.pin.origin,
						user: user.name,
						userId: user.id,
						address: request.client_address,
					})
					return resolve()
				},
				onBinary: () => end(CLOSE.badRequest.code, 'bytes came before the link was opened'),
				onClose: (close) => {
					cancel()
					reject(new Error(`the relay closed the link's socket (${close.code})`))
				},
			})
		})
	}
}
