/** The same memory as a DataView, whose reads and writes are inlined where those of Buffer are calls. */
export function dataViewOf({buffer, byteOffset, byteLength}: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
