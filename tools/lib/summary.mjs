/** Sums up what vitest reports as JSON: the one line that ends `npm test`. */

/**
 * @typedef {object} Summary
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} notes what the numbers alone don't say
 */

/**
 * @typedef {object} FileReport one test file
 * @property {string} name
 * @property {string} status
 * @property {string} [message]
 * @property {readonly { readonly status: string }[]} assertionResults
 */

/**
 * A file that fails without a failed test (it couldn't be loaded, or a hook threw) counts as one failure, and so does a
 * run that ends badly with nothing else to show for it.
 *
 * @param {{ readonly testResults: readonly FileReport[] } | undefined} report undefined: vitest wrote none
 * @param {number} exitStatus of vitest
 * @returns {Summary}
 */
export function summarise(report, exitStatus) {
	const files = report?.testResults ?? []
	const tests = files.flatMap((file) => file.assertionResults)
	const passed = tests.filter((test) => test.status === 'passed').length
	const failedTests = tests.filter((test) => test.status === 'failed').length
	const brokenFiles = files.filter(
		(file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
	)
	const skipped = tests.length - passed - failedTests
	const notes = brokenFiles.map((file) => `${file.name} failed outside its tests: ${(file.message ?? '').split('\n')[0]}`)
	const failed = failedTests + brokenFiles.length
	if (exitStatus === 0 || failed > 0) return { passed, failed, skipped, notes }
	return { passed, failed: 1, skipped, notes: [...notes, `vitest ended with status ${exitStatus} outside any test: see above`] }
}

/** @param {Summary} summary */
export function summaryLine(summary) {
	const line = `${summary.passed} passed, ${summary.failed} failed`
	return summary.skipped === 0 ? line : `${line}, ${summary.skipped} skipped`
}

/** A run in which nothing ran is no success. @param {Summary} summary */
export function isSuccess(summary) {
	return summary.failed === 0 && summary.passed > 0
}
