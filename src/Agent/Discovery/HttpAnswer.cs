using System.Globalization;
using System.Text;

namespace FailoverHub.Agent.Discovery;

/// <summary>An answer over HTTP (RFC 9112), whole.</summary>
/// <param name="Status">100 to 599.</param>
/// <param name="Body">Without its transfer coding.</param>
internal sealed record HttpAnswer(int Status, byte[] Body);

/// <summary>What the bytes of a connection are so far. A closed family.</summary>
internal abstract record HttpReading
{
    private HttpReading()
    {
    }

    /// <summary>The beginning of an answer.</summary>
    internal sealed record NotYet : HttpReading;

    internal sealed record Whole(HttpAnswer Answer) : HttpReading;

    /// <summary>No answer, and why in words.</summary>
    internal sealed record Refused(string Problem) : HttpReading;

    /// <summary>
    /// Reads what has come since the beginning of the connection. As little of HTTP as an answer to one small question needs: no compression, no
    /// trailers, no folded lines, one answer on a connection. Everything else is refused.
    /// </summary>
    /// <param name="bytes">All of them so far; whoever reads them has the bound.</param>
    /// <param name="ended">Nothing comes any more.</param>
    public static HttpReading Of(ReadOnlySpan<byte> bytes, bool ended)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return ended ? new Refused(bytes.IsEmpty ? "the connection was closed without an answer" : "the answer ends before its head does") : new NotYet();
        }

        var lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        if (StatusOf(lines[0]) is not { } status)
        {
            return new Refused("what answers does not speak HTTP");
        }

        var (length, chunked, problem) = Framing(lines.AsSpan(1));
        var body = bytes[(end + 4)..];
        if (problem is not null)
        {
            return new Refused(problem);
        }

        if (status is < 200 or 204 or 304)
        {
            return new Whole(new HttpAnswer(status, []));
        }

        return (chunked, length) switch
        {
            (true, _) => Chunked(status, body, ended),
            (_, { } known) when body.Length >= known => new Whole(new HttpAnswer(status, body[..known].ToArray())),
            (_, null) when ended => new Whole(new HttpAnswer(status, body.ToArray())),
            _ => ended ? new Refused("the answer ends early") : new NotYet(),
        };
    }

    // "HTTP/1.1 200 OK"; the words behind the number may be missing.
    private static int? StatusOf(string line) =>
        line.StartsWith("HTTP/1.", StringComparison.Ordinal) && line is [_, _, _, _, _, _, _, '0' or '1', ' ', _, _, _, ..] && (line.Length == 12 || line[12] == ' ')
        && int.TryParse(line.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 100 and <= 599
            ? status
            : null;

    // RFC 9112 6.3: two lengths, or a length and a coding, are an attempt to smuggle something.
    private static (int? Length, bool Chunked, string? Problem) Framing(ReadOnlySpan<string> headers)
    {
        int? length = null;
        var chunked = false;
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                return (null, false, "the answer has a line in its head that is no header");
            }

            var (name, value) = (header[..colon], header[(colon + 1)..].Trim());
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                if (length is not null || chunked || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    return (null, false, "the length of the answer makes no sense");
                }

                length = number;
            }
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                if (length is not null || chunked || !value.Equals("chunked", StringComparison.OrdinalIgnoreCase))
                {
                    return (null, false, "the answer has a coding that was not asked for");
                }

                chunked = true;
            }
            else if (name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase) && !value.Equals("identity", StringComparison.OrdinalIgnoreCase))
            {
                return (null, false, "the answer has a coding that was not asked for");
            }
        }

        return (length, chunked, null);
    }

    // Each chunk: its length in hex, a line end, so many bytes, a line end; the last one has length 0.
    private static HttpReading Chunked(int status, ReadOnlySpan<byte> rest, bool ended)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0)
            {
                return rest.Length > 64 ? new Refused("the answer's chunks make no sense") : Unfinished(ended);
            }

            var size = rest[..line];
            var extension = size.IndexOf((byte)';');
            size = extension < 0 ? size : size[..extension];
            if (size.Length is 0 or > 6 || !int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length))
            {
                return new Refused("the answer's chunks make no sense");
            }

            rest = rest[(line + 2)..];
            if (length == 0)
            {
                return new Whole(new HttpAnswer(status, body.ToArray()));
            }

            if (rest.Length < length + 2)
            {
                return Unfinished(ended);
            }

            body.Write(rest[..length]);
            if (!rest[length..].StartsWith("\r\n"u8))
            {
                return new Refused("the answer's chunks make no sense");
            }

            rest = rest[(length + 2)..];
        }
    }

    private static HttpReading Unfinished(bool ended) => ended ? new Refused("the answer ends early") : new NotYet();
}
