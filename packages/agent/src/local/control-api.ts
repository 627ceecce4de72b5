import type { Capability, DeviceSessionInfo, Endpoint, PairingRequest, TerminalInfo } from '@sallyport/protocol'
import { CAPABILITIES, capabilitiesField, sessionIdSchema, textField } from '@sallyport/protocol'
import * as v from 'valibot'
import type { RelayState } from '../relay/relay-connection.ts'

/** What `sally agent status` shows. */
export interface AgentStatus {
	readonly version: string
	readonly pid: number
	readonly startedAtMs: number
	readonly nodeId: string
	/** As people compare it. */
	readonly fingerprint: string
	readonly name: string
	readonly dataDir: string
	/** Where the key that seals the state comes from. */
	readonly sealedBy: 'credential' | 'passphrase' | 'key_file'
	/** Absent until the node is enrolled. */
	readonly relay?: {
		readonly origin: string
		readonly owner?: string
		readonly state: RelayState
		/** As the relay sees it. */
		readonly address?: string
	}
	readonly listener?: { readonly host: string; readonly port: number }
	readonly endpoints: readonly Endpoint[]
	readonly links: readonly {
		readonly deviceName: string
		readonly user: string
		readonly via: 'relay' | 'direct'
		readonly address: string
		readonly openedAtMs: number
		readonly streams: number
	}[]
	readonly terminals: readonly (TerminalInfo & { readonly user: string })[]
	readonly sessions: number
	readonly pairingRequest?: PairingRequest
	/** Until when strangers on the own listener may ask to be paired. */
	readonly pairWindowUntilMs?: number
	readonly policy: { readonly path: string; readonly isDefault: boolean; readonly problems: readonly string[] }
	readonly suspended: { readonly users: number; readonly sessions: number }
}

export interface MadeInvite {
	/** The whole link; the secret stands in its fragment. */
	readonly url: string
	/** `sly_invite_v1.…`, for pasting where a link does not do. */
	readonly text: string
	readonly expiresAtMs: number
}

export type ApproveAnswer =
	| { readonly kind: 'approved'; readonly returnCode: string }
	| { readonly kind: 'wrong_code'; readonly attemptsLeft: number }
	| { readonly kind: 'burned' }
	| { readonly kind: 'not_found' }

const capabilities = v.exactOptional(capabilitiesField)
/** Requests of the local control socket, each with what answers it in `ControlAnswers`. */
export const controlRequestSchema = v.variant('op', [
	v.object({ op: v.literal('status') }),
	v.object({ op: v.literal('pairing_request') }),
	v.object({
		op: v.literal('approve'),
		request_id: textField(64),
		digits: v.pipe(v.string(), v.regex(/^\d{6}$/, 'is not six digits')),
		capabilities,
	}),
	v.object({ op: v.literal('deny'), request_id: textField(64) }),
	v.object({ op: v.literal('open_pair_window'), minutes: v.pipe(v.number(), v.minValue(0), v.maxValue(60)) }),
	v.object({
		op: v.literal('invite'),
		minutes: v.exactOptional(v.pipe(v.number(), v.minValue(1), v.maxValue(1440))),
		capabilities,
	}),
	v.object({ op: v.literal('sessions') }),
	v.object({ op: v.literal('revoke'), session_id: v.union([sessionIdSchema, v.literal('all')]) }),
	v.object({ op: v.literal('lift') }),
	v.object({ op: v.literal('forget_host'), host: textField(255), port: v.number() }),
	v.object({ op: v.literal('join'), bundle: textField(4096) }),
	v.object({ op: v.literal('enrol'), origin: textField(512), token: textField(256) }),
	v.object({ op: v.literal('logout') }),
	v.object({ op: v.literal('reload') }),
	v.object({ op: v.literal('stop') }),
])
export type ControlRequest = v.InferOutput<typeof controlRequestSchema>

export interface ControlAnswers {
	readonly status: AgentStatus
	readonly pairing_request: { readonly request?: PairingRequest }
	readonly approve: ApproveAnswer
	readonly deny: { readonly found: boolean }
	readonly open_pair_window: { readonly untilMs: number }
	readonly invite: MadeInvite
	readonly sessions: { readonly sessions: readonly DeviceSessionInfo[] }
	readonly revoke: { readonly revoked: number }
	readonly lift: Record<string, never>
	readonly forget_host: { readonly found: boolean }
	readonly join: { readonly name: string }
	readonly enrol: { readonly name: string }
	readonly logout: Record<string, never>
	readonly reload: { readonly problems: readonly string[] }
	readonly stop: Record<string, never>
}

/** What the control server asks of the agent. */
export type ControlHandlers = {
	readonly [Op in ControlRequest['op']]: (request: Extract<ControlRequest, { op: Op }>) => Promise<ControlAnswers[Op]>
}

/** Reads `shell,exec` as a list; undefined when one of them is no capability. */
export function parseCapabilities(text: string): readonly Capability[] | undefined {
	const names = text.split(',').map((name) => name.trim())
	const known = CAPABILITIES.filter((capability) => names.includes(capability))
	return known.length === new Set(names).size ? known : undefined
}
