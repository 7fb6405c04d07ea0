/** The package brings no types. */
declare module 'cluster-key-slot' {
  /** The slot of a key, by its hash tag where it has one. */
  function calculateSlot(key: string | Buffer): number
  export = calculateSlot
}
