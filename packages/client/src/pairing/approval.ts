import type { NodeId } from '@sallyport/protocol'
import type { Device } from '../device.ts'
import { ClientError } from '../errors.ts'
import type { Connector } from '../link/connector.ts'
import type { ApprovalRequest, ApprovalState, Pairing } from '../sally-client.ts'

/** Asks a node to let this device in, by digits that the person carries both ways. */
export function requestApproval(connector: Connector, device: Device, nodeId: NodeId): ApprovalRequest {
	const listeners = new Set<(state: ApprovalState) => void>()
	const abort = new AbortController()
	let state: ApprovalState = { kind: 'connecting' }
	const returnCodes = createTurns()
	const code = deferred<string>()
	const expiresAtMs = deferred<number>()

	const tell = (next: ApprovalState): void => {
		state = next
		if (next.kind === 'code') {
			code.resolve(next.code)
			expiresAtMs.resolve(next.expiresAtMs)
		}
		for (const listener of [...listeners]) listener(next)
	}
	const paired: Promise<Pairing> = connector
		.pair(
			nodeId,
			{
				kind: 'approve',
				deviceName: device.name,
				deviceKind: device.kind,
				onState: (progress) => tell(progress),
				askReturnCode: returnCodes.ask,
			},
			'approve',
			abort.signal,
		)
		.then(
			(pairing) => {
				tell({ kind: 'paired' })
				return pairing
			},
			(caught: unknown) => {
				const error = ClientError.from(caught)
				tell({ kind: 'failed', reason: error.message })
				code.reject(error)
				expiresAtMs.reject(error)
				throw error
			},
		)
	// Whoever waits on one of them hears of it; the others must not count as unhandled.
	for (const promise of [paired, code.promise, expiresAtMs.promise]) promise.catch(() => undefined)
	return {
		code: code.promise,
		expiresAtMs: expiresAtMs.promise,
		onState(listener) {
			listeners.add(listener)
			listener(state)
			return () => listeners.delete(listener)
		},
		async confirm(typed) {
			const isAskedAgain = returnCodes.answer(typed.replace(/\D/g, '')).then(() => false)
			isAskedAgain.catch(() => undefined)
			try {
				return await Promise.race([isAskedAgain, paired.then(() => true)])
			} catch (caught) {
				const error = ClientError.from(caught)
				if (error.code === 'wrong_code') return false
				throw error
			}
		},
		paired,
		cancel: () => abort.abort(),
	}
}

interface Turns {
	/** The node's side wants a code: waits for the person. */
	readonly ask: () => Promise<string>
	/** The person typed one; resolves when another is wanted. */
	readonly answer: (typed: string) => Promise<void>
}

function createTurns(): Turns {
	let early: string | undefined
	let give: ((code: string) => void) | undefined
	let askedAgain = deferred<void>()
	return {
		ask() {
			const code = early
			early = undefined
			if (code !== undefined) return Promise.resolve(code)
			askedAgain.resolve()
			return new Promise((resolve) => {
				give = resolve
			})
		},
		answer(code) {
			askedAgain = deferred()
			// Typed before it was asked for: kept for the first question.
			if (give === undefined) early = code
			give?.(code)
			give = undefined
			return askedAgain.promise
		},
	}
}

interface Deferred<T> {
	readonly promise: Promise<T>
	readonly resolve: (value: T) => void
	readonly reject: (error: Error) => void
}

function deferred<T>(): Deferred<T> {
	let resolve: (value: T) => void = () => {}
	let reject: (error: Error) => void = () => {}
	const promise = new Promise<T>((onValue, onError) => {
		resolve = onValue
		reject = onError
	})
	return { promise, resolve, reject }
}
