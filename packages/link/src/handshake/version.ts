import { ok } from '@sallyport/protocol'
import type { HandshakeResult } from './handshake-fault.ts'
import { refuse } from './handshake-fault.ts'

/** The link versions that this code speaks. */
export const LINK_VERSIONS: readonly number[] = [1]

/** The highest version of both lists. */
export function chooseVersion(ours: readonly number[], theirs: readonly number[]): HandshakeResult<number> {
	const common = ours.filter((version) => theirs.includes(version))
	if (common.length === 0)
		return refuse('VERSION_UNSUPPORTED', `peer speaks versions ${theirs.join(', ')}, this side ${ours.join(', ')}`)
	return ok(Math.max(...common))
}

/** Accepts the responder's choice only if it is what both lists lead to; both are bound by the transcript. */
export function checkVersion(offered: readonly number[], theirs: readonly number[], chosen: number): HandshakeResult<number> {
	const best = chooseVersion(offered, theirs)
	if (!best.ok) return best
	return best.value === chosen
		? best
		: refuse('VERSION_DOWNGRADED', `version ${chosen} was chosen though both sides speak ${best.value}`)
}
