// `node aws-stand-in.mjs PORT FOLDER [POSTGRES_URL]` stands in for AWS at 127.0.0.1:PORT until it is ended: S3, Glue, STS and IAM in
// memory. The folder takes logs and what is on its way.
import {AwsProxy} from './aws-proxy.mjs'
import {Moto} from './moto.mjs'

const [port, folder] = process.argv.slice(2)
const moto = await Moto.start(folder)
process.on('SIGTERM', () => {
  moto.end()
  process.exit(0)
})
await new AwsProxy(moto).listen(Number(port))
