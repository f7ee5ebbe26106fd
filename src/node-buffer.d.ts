/** The function of workerd's node:buffer that is used; @types/node would bring Node's globals along. */
declare module "node:buffer" {
  export const Buffer: { byteLength(text: string): number };
}
