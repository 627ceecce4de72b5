/**
 * `sally`, the command. It has no API: people and scripts use the program, which `docs/cli.md` describes.
 *
 * ```sh
 * sally login https://relay.example
 * sally shell web1
 * ```
 */
export { runProgram } from './program.ts'
