import {
	CAPABILITIES,
	type DeviceSessionInfo,
	deviceIdSchema,
	nameField,
	parseWith,
	sessionIdSchema,
	textField,
	timeField,
} from '@sallyport/protocol'
import * as v from 'valibot'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'
import { formatAgo } from '../text/quantities.ts'
import { formatTable } from '../text/table.ts'

const listSchema: v.GenericSchema<unknown, readonly DeviceSessionInfo[]> = v.array(
	v.object({
		session_id: sessionIdSchema,
		device_id: deviceIdSchema,
		device_name: nameField,
		user: nameField,
		capabilities: v.array(v.picklist(CAPABILITIES)),
		created_at: timeField,
		last_seen_at: timeField,
		idle_expires_at: timeField,
		absolute_expires_at: timeField,
		paired_by: v.picklist(['join', 'invite', 'approve', 'endorsement']),
		address: textField(64),
		connected: v.boolean(),
		current: v.boolean(),
	}),
)

/** `sally devices NODE`: who may enter there. */
export async function devices(context: Context, node: string): Promise<number> {
	const list = await listDevices(context, node)
	if (context.options.json) {
		context.printJson(list)
		return EXIT.ok
	}
	const nowMs = Date.now()
	const rows = list.map((session) => [
		session.session_id,
		showText(session.device_name, 40) + (session.current ? ' (this one)' : ''),
		showText(session.user, 40),
		session.capabilities.join(','),
		session.paired_by,
		session.connected ? 'connected' : formatAgo(session.last_seen_at, nowMs),
	])
	context.print(formatTable(['SESSION', 'DEVICE', 'USER', 'MAY', 'PAIRED BY', 'SEEN'], rows))
	return EXIT.ok
}

/** `sally revoke NODE SESSION` */
export async function revoke(context: Context, node: string, session: string): Promise<number> {
	const id = parseWith(sessionIdSchema, session)
	if (!id.ok) throw new CliError(EXIT.usage, 'that is not the id of a device session; see sally devices')
	const isOwn = (await listDevices(context, node)).some((device) => device.current && device.session_id === id.value)
	try {
		await context.links.result({ op: 'revoke', node, session: id.value })
	} catch (error) {
		// The machine ends the very link that asked, at times before its answer is out.
		if (!isOwn || CliError.from(error).code !== 'link_ended') throw error
	}
	context.say(
		isOwn
			? 'revoked: this computer itself can no longer enter; sally pair asks to be let in again'
			: 'revoked: that device can no longer enter, and what it had open is closed',
	)
	return EXIT.ok
}

async function listDevices(context: Context, node: string): Promise<v.InferOutput<typeof listSchema>> {
	const list = parseWith(listSchema, await context.links.result({ op: 'devices', node }))
	if (list.ok) return list.value
	throw new CliError(EXIT.failed, `the list of devices is not understood (${list.error.detail})`)
}
