import type { Duplex } from 'node:stream'
import { ClientError } from '@sallyport/client'
import { buildId } from '../build-id.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { ProfilePaths } from '../profile/paths.ts'
import type { Profile } from '../profile/profile.ts'
import { connectBackground } from './connect.ts'
import { readLine } from './line-reader.ts'
import type { LinkSource } from './link-source.ts'
import { encodeRequest, type LocalAnswer, type LocalRequest, parseAnswer } from './local-protocol.ts'
import { memoryChannel } from './memory-channel.ts'

type OkAnswer = Extract<LocalAnswer, { kind: 'ok' }>

export interface Asked {
	/** Paused, and past the answer's line: what follows is the stream's. */
	readonly channel: Duplex
	readonly answer: OkAnswer
}

/** How commands reach nodes: through the background process, or by a link of their own. */
export interface Links {
	/** Sends one request. Waits and says so when the relay asks to wait. Rejects with `CliError`. */
	ask(request: LocalRequest): Promise<Asked>
	/** Sends a request that has no stream, and gives its result. */
	result(request: LocalRequest): Promise<unknown>
	close(): void
}

export interface LinksOptions {
	readonly paths: ProfilePaths
	/** Opened only where this process itself needs it. */
	readonly openProfile: () => Promise<Profile>
	readonly isShared: boolean
	/** The address of the machine itself, instead of a way through the relay. */
	readonly direct?: string
	/** Tells the person why nothing happens yet. */
	readonly say: (line: string) => void
}

const MAX_WAIT_MS = 120_000
/** Another build's process drains and frees the socket; one that was just replaced may be in the way for a moment. */
const DRAIN_TRIES = 5

export function createLinks(options: LinksOptions): Links {
	const isShared = options.isShared && options.direct === undefined
	const own = isShared ? undefined : ownLinks(() => openSource(options))
	const open = own === undefined ? () => connectBackground(options.paths) : own.open
	const ask = async (request: LocalRequest): Promise<Asked> => {
		const deadline = Date.now() + MAX_WAIT_MS
		let drained = 0
		for (;;) {
			const channel = await open()
			const answer = await exchange(channel, request)
			if (answer.kind === 'ok') return { channel, answer }
			channel.destroy()
			if (answer.kind === 'draining') {
				if (++drained > DRAIN_TRIES)
					throw new CliError(EXIT.failed, 'a background process of another version is in the way: use --no-share')
				await new Promise((resolve) => setTimeout(resolve, 50 * drained))
				continue
			}
			const waitMs = answer.retry_after_ms
			if (answer.code !== 'rate_limited' || waitMs === undefined || Date.now() + waitMs > deadline) throw refusal(answer)
			options.say(`${answer.message}; waiting ${Math.ceil(waitMs / 1000)} s`)
			await new Promise((resolve) => setTimeout(resolve, waitMs))
		}
	}
	return {
		ask,
		async result(request) {
			const { channel, answer } = await ask(request)
			channel.destroy()
			return answer.result
		},
		close: () => own?.close(),
	}
}

async function exchange(channel: Duplex, request: LocalRequest): Promise<LocalAnswer> {
	channel.on('error', () => undefined)
	channel.write(encodeRequest(buildId(), request))
	const line = await readLine(channel)
	const answer = line === undefined ? undefined : parseAnswer(line)
	if (answer?.ok === true) return answer.value
	throw new CliError(EXIT.failed, 'the background process ended before it answered; try again, or use --no-share')
}

function refusal(answer: Extract<LocalAnswer, { kind: 'failed' }>): CliError {
	return new CliError(answer.status, answer.message, {
		code: answer.code,
		cause: new ClientError(answer.code, answer.message),
	})
}

/** A link host inside this process, for `--no-share` and `--direct`. */
function ownLinks(openSource: () => Promise<LinkSource>): { readonly open: () => Promise<Duplex>; readonly close: () => void } {
	let source: Promise<LinkSource> | undefined
	const host = import('./link-host.ts').then(
		({ LinkHost }) =>
			new LinkHost({
				build: buildId(),
				source: () => {
					source ??= openSource()
					return source
				},
				nowMs: () => Date.now(),
				onStop: () => undefined,
				onLoad: () => undefined,
			}),
	)
	return {
		open: async () => {
			const [near, far] = memoryChannel()
			void (await host).serve(far)
			return near
		},
		close: () => void source?.then((opened) => opened.close()).catch(() => undefined),
	}
}

async function openSource({ openProfile, direct }: LinksOptions): Promise<LinkSource> {
	const [profile, { directSource, relaySource }] = await Promise.all([openProfile(), import('./link-source.ts')])
	return direct === undefined ? relaySource(await profile.openClient()) : directSource(await profile.openDirect(direct))
}
