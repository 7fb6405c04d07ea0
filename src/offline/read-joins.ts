import type {PointInTimeQuery, SourceTree} from '../compile/query.js'
import type {ReadableJoin, ReadableSource} from '../compile/source-rows.js'

/** The views of a frame with their sources in reach, each source read once. */
export async function readJoins(
  {joins}: PointInTimeQuery,
  read: (tree: SourceTree) => Promise<ReadableSource>,
): Promise<readonly ReadableJoin[]> {
  const sources = new Map<string, ReadableSource>()
  const readable: ReadableJoin[] = []
  for (const join of joins) {
    const tree = join.rows.source
    const source = sources.get(tree.source.name) ?? (await read(tree))
    sources.set(tree.source.name, source)
    readable.push({join, source})
  }
  return readable
}
