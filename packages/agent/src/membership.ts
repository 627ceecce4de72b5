import { createHash, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Clock } from '@sallyport/carrier'
import type { EnrolAnswer, JoinBundle } from '@sallyport/protocol'
import { equalBytes, parseJoinBundle, parseToken } from '@sallyport/protocol'
import type { AgentConfig } from './config/config.ts'
import { AgentError, errorText } from './errors.ts'
import { OWNER_CAPABILITIES } from './gate/gate.ts'
import type { PairingBook } from './gate/pairing-book.ts'
import type { HostDescription } from './host-description.ts'
import { enrol } from './relay/enrol.ts'
import { parseRelayOrigin } from './relay/origin.ts'
import type { AgentState } from './state/agent-state.ts'
import type { RelayPin } from './state/relay-pin.ts'

/** What a join says before it is accepted: who gains access, through which relay. */
export interface JoinSummary {
	readonly origin: string
	readonly user: string
	readonly deviceName: string
	readonly expiresAtMs: number
}

export interface MembershipDeps {
	readonly config: AgentConfig
	readonly state: AgentState
	readonly book: PairingBook
	readonly host: HostDescription
	readonly clock: Clock
}

/**
 * Reads a join without acting on it.
 *
 * @throws {AgentError} `join_invalid`, `join_expired`
 */
export function readJoin(text: string, nowMs: number): { readonly bundle: JoinBundle; readonly summary: JoinSummary } {
	const parsed = parseJoinBundle(text)
	if (!parsed.ok) throw new AgentError('join_invalid', parsed.error.detail)
	const bundle = parsed.value
	if (bundle.expires <= nowMs)
		throw new AgentError('join_expired', 'this join has expired: make a new one with "Add machine" in the page or sally add')
	return {
		bundle,
		summary: { origin: bundle.origin, user: bundle.user, deviceName: bundle.device_name, expiresAtMs: bundle.expires },
	}
}

/** Enrols by a join, and lets the one device in that made it. */
export async function joinRelay(bundle: JoinBundle, deps: MembershipDeps): Promise<RelayPin> {
	const origin = checkedOrigin(bundle.origin, deps)
	const ca = await relayCa(deps.config)
	checkCaPin(bundle, ca)
	const token = parseToken(bundle.enrolToken)
	if (!token.ok) throw new AgentError('join_invalid', token.error.detail)
	// First the secret: should this program die in between, nothing that was promised is missing.
	await deps.book.addSecret(
		{
			secret_id: token.value.id,
			kind: 'join',
			secret: bundle.secret,
			device_key: bundle.device_key,
			user: bundle.user,
			capabilities: [...OWNER_CAPABILITIES],
			expires_at: bundle.expires,
		},
		{ isVolatile: false },
	)
	try {
		const answer = await enrolAt(origin, bundle.enrolToken, deps, { relayId: bundle.relay_id, ca })
		return await store(answer, { origin: bundle.origin, dialOrigin: origin }, deps)
	} catch (error) {
		await deps.book.removeSecret(token.value.id)
		throw error
	}
}

/** Enrols by a token alone; devices are paired by approve code or invite then. */
export async function enrolByToken(origin: string, token: string, deps: MembershipDeps): Promise<RelayPin> {
	const dialOrigin = checkedOrigin(origin, deps)
	const answer = await enrolAt(dialOrigin, token, deps, { ca: await relayCa(deps.config) })
	const said = parseRelayOrigin(answer.origin, { allowPlainHttp: true })
	return store(answer, { origin: 'origin' in said ? said.origin : dialOrigin, dialOrigin }, deps)
}

/**
 * Notes the new address of the relay that this node is enrolled at. Only whoever runs that relay may say so: by its id alone
 * another relay could take its place. Pairing secrets that were given out name the old address, and stay bound to it.
 *
 * @throws {AgentError} `not_enrolled`, `relay_changed`, `relay_insecure`
 */
export async function moveRelay(origin: string, relayId: string, deps: MembershipDeps): Promise<RelayPin> {
	const pin = deps.state.relay.value
	if (pin === undefined) throw new AgentError('not_enrolled', 'this machine is at no relay yet')
	if (pin.relay_id !== relayId)
		throw new AgentError('relay_changed', `the relay at ${origin} is not the one that this machine joined at ${pin.origin}`)
	const parsed = parseRelayOrigin(origin, deps.config)
	if ('problem' in parsed) throw new AgentError('relay_insecure', parsed.problem)
	const moved: RelayPin = { ...pin, origin: parsed.origin, dial_origin: parsed.origin }
	await deps.state.relay.save(moved)
	return moved
}

/** The file that `RELAY_CA` names. */
export async function relayCa(config: AgentConfig): Promise<string | undefined> {
	if (config.relayCaFile === undefined) return undefined
	try {
		return await readFile(config.relayCaFile, 'utf8')
	} catch (cause) {
		throw new AgentError('bad_config', `RELAY_CA: ${config.relayCaFile} cannot be read (${errorText(cause)})`, { cause })
	}
}

function checkedOrigin(text: string, { config, state }: MembershipDeps): string {
	const parsed = parseRelayOrigin(text, config)
	if ('problem' in parsed) throw new AgentError('relay_insecure', parsed.problem)
	const pin = state.relay.value
	if (pin !== undefined && pin.dial_origin !== parsed.origin && pin.origin !== parsed.origin) {
		throw new AgentError(
			'already_enrolled',
			`this machine is enrolled at ${pin.origin} already: leave that relay first with sally agent logout`,
		)
	}
	return parsed.origin
}

function checkCaPin(bundle: JoinBundle, ca: string | undefined): void {
	if (bundle.ca_pin === undefined) return
	if (ca === undefined)
		throw new AgentError(
			'relay_insecure',
			'this relay has a certificate authority of its own: give its certificate with RELAY_CA',
		)
	const digest = createHash('sha256').update(new X509Certificate(ca).raw).digest()
	if (!equalBytes(digest, bundle.ca_pin))
		throw new AgentError('relay_insecure', 'RELAY_CA is not the certificate authority that this join names')
}

function enrolAt(
	origin: string,
	token: string,
	deps: MembershipDeps,
	known: { readonly relayId?: string; readonly ca: string | undefined },
): Promise<EnrolAnswer> {
	const { config, state, host, clock } = deps
	return enrol({
		origin,
		token,
		identity: state.identity,
		name: config.name,
		host,
		nowMs: clock.nowMs(),
		...(known.relayId === undefined ? {} : { relayId: known.relayId }),
		...(known.ca === undefined ? {} : { ca: known.ca }),
	})
}

async function store(
	answer: EnrolAnswer,
	origins: { readonly origin: string; readonly dialOrigin: string },
	deps: MembershipDeps,
): Promise<RelayPin> {
	const pin: RelayPin = {
		version: 1,
		origin: origins.origin,
		dial_origin: origins.dialOrigin,
		relay_id: answer.relay_id,
		name: answer.name,
		...(answer.owner === undefined ? {} : { owner: { id: answer.owner.id, name: answer.owner.username } }),
		enrolled_at: deps.clock.nowMs(),
	}
	await deps.state.relay.save(pin)
	return pin
}
