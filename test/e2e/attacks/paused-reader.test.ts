import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeConnection } from '@sallyport/client'
import { describe, expect, it } from 'vitest'
import { useScope, waitFor, within } from '../harness/index.ts'
import { type Processes, residentBytes, startProcesses } from './processes.ts'

const scope = useScope()
const MIB = 1024 * 1024
const GROWTH_LIMIT = 32 * MIB
const TOTAL_BYTES = 64 * MIB
const FAST_BYTES = 24 * MIB

/** Prints a known, never repeating text without end of its own, and notes after each block how far it has come. */
const PRINTER = `
const { writeFileSync } = require('node:fs')
const [progressFile, total] = [process.argv[2], Number(process.argv[3])]
let written = 0, line = 0
const next = () => {
	if (written === total) return
	let block = ''
	while (block.length < 65536) block += 'line ' + (line++).toString().padStart(10, '0') + ' of what the host prints without end\\n'
	block = block.slice(0, Math.min(block.length, total - written))
	process.stdout.write(block, () => {
		written += block.length
		writeFileSync(progressFile, String(written))
		next()
	})
}
next()
`

/** What the printer prints, hashed here. */
function expectedHash(): string {
	const hash = createHash('sha256')
	for (let written = 0, line = 0; written < TOTAL_BYTES; ) {
		let block = ''
		while (block.length < 65536) block += `line ${(line++).toString().padStart(10, '0')} of what the host prints without end\n`
		block = block.slice(0, Math.min(block.length, TOTAL_BYTES - written))
		hash.update(block)
		written += block.length
	}
	return hash.digest('hex')
}

interface Printing {
	readonly received: () => number
	readonly written: () => number
	readonly hash: () => string
	readonly ended: Promise<void>
	stop(): void
	goOn(): void
}

async function startPrinting(connection: NodeConnection, name: string): Promise<Printing> {
	const printer = join(scope.folder, `${name}.cjs`)
	const progress = join(scope.folder, `${name}.progress`)
	writeFileSync(printer, PRINTER)
	writeFileSync(progress, '0')
	const stream = await connection.openExec([process.execPath, printer, progress, String(TOTAL_BYTES)])
	const hash = createHash('sha256')
	let received = 0
	let unread = 0
	let isReading = true
	const ended = new Promise<void>((resolve) =>
		stream.setHandlers({
			onData(bytes) {
				hash.update(bytes)
				received += bytes.length
				if (isReading) stream.consume(bytes.length)
				else unread += bytes.length
			},
			onEnd: () => resolve(),
			onReset: () => resolve(),
		}),
	)
	return {
		received: () => received,
		written: () => Number(readFileSync(progress, 'utf8')),
		hash: () => hash.digest('hex'),
		ended,
		stop() {
			isReading = false
		},
		goOn() {
			isReading = true
			stream.consume(unread)
			unread = 0
		},
	}
}

function memoryOf(world: Processes) {
	return { relay: residentBytes(world.relay.pid), agent: residentBytes(world.agent.pid) }
}

/** The most that each process grows until the program has stood still for a hundred looks in a row. */
async function growthUntilPaused(world: Processes, printing: Printing, before = memoryOf(world)) {
	const growth = { relay: 0, agent: 0 }
	let last = -1
	let quiet = 0
	await waitFor(
		'the program to be paused',
		() => {
			growth.relay = Math.max(growth.relay, residentBytes(world.relay.pid) - before.relay)
			growth.agent = Math.max(growth.agent, residentBytes(world.agent.pid) - before.agent)
			quiet = printing.written() === last ? quiet + 1 : 0
			last = printing.written()
			return last > 0 && quiet >= 100
		},
		30_000,
	)
	return growth
}

async function readAll(printing: Printing): Promise<void> {
	printing.goOn()
	await within('the rest', printing.ended, 60_000)
	expect(printing.received()).toBe(TOTAL_BYTES)
	expect(printing.hash()).toBe(expectedHash())
}

describe('while the host prints without end', () => {
	it('a reader that never reads costs relay and agent less than 32 MiB each, and loses no byte', async () => {
		const world = await startProcesses(scope)
		const connection = await (await world.client('never')).connect(world.nodeId)
		const cold = memoryOf(world)
		const printing = await startPrinting(connection, 'never')
		printing.stop()
		const growth = await growthUntilPaused(world, printing, cold)
		expect(printing.written()).toBeLessThan(GROWTH_LIMIT)
		expect(growth.relay).toBeLessThan(GROWTH_LIMIT)
		expect(growth.agent).toBeLessThan(GROWTH_LIMIT)
		expect(connection.link.isOpen).toBe(true)
		await readAll(printing)

		// Warm and with windows that have grown: it reads well for a while, and stops then.
		const again = await startPrinting(connection, 'stops')
		await waitFor('windows to grow', () => again.received() > FAST_BYTES, 30_000)
		again.stop()
		const warm = await growthUntilPaused(world, again)
		const unread = again.written() - again.received()
		expect(unread).toBeLessThan(GROWTH_LIMIT)
		expect(again.written()).toBeLessThan(TOTAL_BYTES)
		expect(warm.relay).toBeLessThan(GROWTH_LIMIT)
		expect(warm.agent).toBeLessThan(GROWTH_LIMIT)
		await readAll(again)
	})
})
