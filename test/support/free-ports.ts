import {createServer} from 'node:net'

type Ports<Count extends number> = Count extends 1 ? readonly [number] : readonly [number, number]

/** Ports that nobody listens on, each another one. */
export async function freePorts<Count extends 1 | 2>(count: Count): Promise<Ports<Count>> {
  const probes = Array.from({length: count}, () => createServer())
  const ports = await Promise.all(
    probes.map(async (probe) => {
      await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
      const address = probe.address()
      if (address === null || typeof address === 'string') throw new Error('no port is free')
      return address.port
    }),
  )
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))))
  return ports as unknown as Ports<Count>
}
