/** What goes over the wire. It is decoded once for all who get it: what decoding gives is never changed, as its types say. */
export class Packet<Content> {
  #content: { readonly of: Content } | undefined;

  constructor(
    readonly bytes: Buffer,
    private readonly decode: (bytes: Buffer) => Content,
  ) {}

  get content(): Content {
    this.#content ??= { of: this.decode(this.bytes) };
    return this.#content.of;
  }
}
