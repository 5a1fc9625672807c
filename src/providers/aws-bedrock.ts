import { aws, awsKeys } from './auth/aws.ts'
import { provider } from './provider.ts'

export const awsBedrock = provider({
  slug: 'aws-bedrock',
  title: 'Amazon Bedrock',
  aliases: ['bedrock'],
  base: 'https://bedrock-runtime.{region}.amazonaws.com',
  // Model ids and ARNs hold `:` and `/`, which must not read as parts of the path (T60).
  endpoint: ({ model, stream }) => ({
    dialect: 'bedrock-converse',
    path: `model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  }),
  auth: aws,
  placeIn: credential => ({ region: awsKeys(credential)?.region }),
  defaultRegion: 'us-east-1',
  variable: 'AWS_BEARER_TOKEN_BEDROCK',
  priced: 'aws',
})
