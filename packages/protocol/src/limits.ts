/**
 * Every size, count and time that both ends must agree on. Bytes and milliseconds unless the name says otherwise.
 * Settings may lower some of them; none may be raised on one side alone.
 */
const KIB = 1024
const MIB = 1024 * KIB
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const LIMITS = {
	/** A JSON message on a hop before `opened`. */
	hopMessageBytes: 8 * KIB,
	/** A JSON message on the agent's control socket (a heartbeat with stats, a dial request). */
	nodeControlMessageBytes: 64 * KIB,
	/** One WebSocket message that carries a record: AEAD tag and up to 65,519 bytes of plaintext. */
	recordBytes: 65_535,
	recordPlaintextBytes: 65_519,
	/** Records sealed under one key before both sides rekey that direction. */
	recordsPerKey: 2 ** 20,
	handshakeMessageBytes: 4 * KIB,
	endorsementBytes: KIB,
	frameHeaderBytes: 5,
	controlFrameBytes: 16 * KIB,
	jsonDepth: 8,
	/** Interactive records are padded to a multiple of this. */
	paddingBytes: 64,
	streamWindowBytes: 256 * KIB,
	streamWindowMaxBytes: 4 * MIB,
	linkWindowBytes: 8 * MIB,
	/** Part of the link window that only control and interactive streams may use. */
	linkReservedBytes: 512 * KIB,
	streamsPerLink: 1024,
	/** Replay buffer of one parked link. */
	parkedLinkBytes: 16 * MIB,
	parkedLinksPerDevice: 8,
	parkedAgentBytes: 256 * MIB,
	parkedMs: 24 * HOUR,
	/** The node ends a connection this long after its handshake; the client moves hourly. */
	connectionMaxMs: 75 * MINUTE,
	connectionMoveMs: 60 * MINUTE,
	helloMs: 10 * SECOND,
	handshakeMs: 10 * SECOND,
	linkTicketMs: 10 * SECOND,
	pageTicketMs: 30 * SECOND,
	challengeMs: 60 * SECOND,
	probeMs: 3 * SECOND,
	pingMs: 20 * SECOND,
	pingMaxMs: 50 * SECOND,
	stalledMs: 60 * SECOND,
	spliceHighBytes: MIB,
	spliceLowBytes: 256 * KIB,
	vouchMs: 2 * SECOND,
	vouchCacheMs: 60 * SECOND,
	vouchOutstandingPerNode: 20,
	sessionIdleMs: 7 * DAY,
	sessionAbsoluteMs: 90 * DAY,
	sessionTouchMs: HOUR,
	certificateMs: 90 * DAY,
	clockLeewayMs: 24 * HOUR,
	pairingMs: 5 * MINUTE,
	pairingMistakes: 2,
	pairingsPerHour: 5,
	inviteMs: 10 * MINUTE,
	joinMs: 24 * HOUR,
	/** Raw output that a terminal keeps for the next `attach`. */
	terminalReplayBytes: 256 * KIB,
	terminalDetachedMs: 24 * HOUR,
	terminalsPerNode: 256,
	replacedBackoffMs: 60 * SECOND,
} as const
