import sharp from 'sharp';

/** A picture that looks like nothing else, so that its bytes are new in every test. */
export function picture(width: number, height: number) {
  const background = {
    r: Math.floor(Math.random() * 256),
    g: Math.floor(Math.random() * 256),
    b: Math.floor(Math.random() * 256),
  };
  return sharp({
    create: { width, height, channels: 3, background, noise: { type: 'gaussian', mean: 128, sigma: 30 } },
  });
}

/** A position in EXIF and in XMP. */
export const withPosition = (image: ReturnType<typeof picture>) =>
  image
    .withExif({
      IFD0: { Make: 'Camera', Model: 'One' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '47/1 22/1 0/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '8/1 32/1 0/1',
      },
    })
    .withXmp(
      '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="47,22.0N" exif:GPSLongitude="8,32.0E"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>',
    );
