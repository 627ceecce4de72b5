import { setFlagsFromString } from 'node:v8'

/** How far the heap may grow over what lives before all of it is searched for garbage. */
const GROWTH_PERCENT = 300

/**
 * Keeps bulk from searching the whole heap all the time. Buffers that a stream passes through count towards the heap's
 * limit, and V8 sets that limit so near above a small heap that every few megabytes of a transfer begin a full collection:
 * about 120 for each GiB, which cost more than encryption. The young collections, which are cheap, take these buffers.
 */
export function tuneCollector(): void {
	setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
