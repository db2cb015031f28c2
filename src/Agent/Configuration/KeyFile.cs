using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Agent.Speaker;

namespace FailoverHub.Agent.Configuration;

/// <summary>
/// Files with the secret of the sessions: a secret on a command line is everybody's. Read once, at the start, and only when nobody
/// but its owner can. No sentence of this class has anything of the secret in it.
/// </summary>
internal static class KeyFile
{
    /// <summary>Octets. Far more than any key.</summary>
    private const int Largest = 4096;

    private const UnixFileMode OthersMay =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private static readonly string[] _required = ["key", "send-id", "receive-id"];

    /// <summary>The key of TCP MD5: all octets of the file but one line end behind them. Or why not, in a sentence.</summary>
    public static (PeerAuthentication? Authentication, string? Problem) ReadTcpMd5(string path) => Read(path, content =>
    {
        var key = WithoutLineEnd(content);
        return PeerAuthentication.Refuse(key) is { } problem ? (null, $"{problem}; write the neighbors' password into it, in one line.") : (new TcpMd5(key), null);
    });

    /// <summary>
    /// The key of TCP-AO, in lines of a word and its value; blank lines and those that begin with <c>#</c> are passed over. Or why not, in a sentence.
    /// <code>
    ///   key        the master key, up to 80 octets
    ///   send-id    0 to 255, the neighbor's receive id
    ///   receive-id 0 to 255, the neighbor's send id
    ///   algorithm  hmac-sha-1 (when there is no such line) or aes-128-cmac
    /// </code>
    /// </summary>
    public static (PeerAuthentication? Authentication, string? Problem) ReadTcpAo(string path) => Read(path, content =>
    {
        byte? sendId = null;
        byte? receiveId = null;
        var algorithm = TcpAoAlgorithm.HmacSha1;
        Range? key = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var range in content.Split((byte)'\n'))
        {
            number++;
            var (start, length) = Trimmed(content, range);
            var line = content.Slice(start, length);
            if (line.IsEmpty || line[0] == (byte)'#')
            {
                continue;
            }

            var end = line.IndexOfAny((byte)' ', (byte)'\t');
            var word = Encoding.UTF8.GetString(end < 0 ? line : line[..end]);
            var (valueStart, valueLength) = Trimmed(content, (end < 0 ? start + length : start + end)..(start + length));
            var value = content.Slice(valueStart, valueLength);
            var taken = word switch
            {
                "key" => (key = valueStart..(valueStart + valueLength)) is not null,
                "send-id" => TryId(value, out sendId),
                "receive-id" => TryId(value, out receiveId),
                "algorithm" => TryAlgorithm(value, out algorithm),
                _ => false,
            };
            if (!taken || !seen.Add(word))
            {
                // A line that is not understood may be the secret itself: it is named by its number.
                return (null, $"line {number.ToString(CultureInfo.InvariantCulture)} is not understood, or is there twice; give the lines 'key SECRET', 'send-id N', 'receive-id N' (0 to 255) and 'algorithm hmac-sha-1' or 'algorithm aes-128-cmac'.");
            }
        }

        if (key is not { } found || sendId is not { } send || receiveId is not { } receive)
        {
            var missing = string.Join(", ", _required.Where(word => !seen.Contains(word)));
            return (null, $"it has no line for {missing}; give the lines 'key SECRET', 'send-id N' and 'receive-id N'.");
        }

        return PeerAuthentication.Refuse(content[found]) is { } problem
            ? (null, $"{problem}; give the neighbors' master key in the line 'key SECRET'.")
            : (new TcpAo(content[found], send, receive, algorithm), null);
    });

    /// <summary>
    /// What a file may not permit: anything to others than its owner. systemd's credentials (LoadCredential=) are root's with mode 440, in a directory that
    /// nobody but the service can enter: those may be read by their group.
    /// </summary>
    /// <param name="path">Of the file.</param>
    /// <param name="credentials">The directory of the credentials; null or empty: there is none.</param>
    internal static UnixFileMode ForbiddenFor(string path, string? credentials) =>
        !string.IsNullOrEmpty(credentials) && Path.GetDirectoryName(Path.GetFullPath(path)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(credentials))
            ? OthersMay & ~UnixFileMode.GroupRead
            : OthersMay;

    private delegate (PeerAuthentication? Authentication, string? Problem) Parser(ReadOnlySpan<byte> content);

    private static (PeerAuthentication? Authentication, string? Problem) Read(string path, Parser parse)
    {
        var buffer = new byte[Largest + 1];
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);

            // Of what was opened, and not of what stands under the name by now.
            var mode = File.GetUnixFileMode(stream.SafeFileHandle);
            if ((mode & ForbiddenFor(path, Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY"))) != 0)
            {
                return (null, $"'{path}' is open to others than its owner (mode {Convert.ToString((int)mode, 8)}); chmod 600 '{path}', and change the key if others may have read it.");
            }

            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (length > Largest)
            {
                return (null, $"'{path}' has more than {Largest} octets and cannot be a key file.");
            }

            var (authentication, problem) = parse(buffer.AsSpan(0, length));
            return (authentication, problem is null ? null : $"'{path}': {problem}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, $"'{path}' cannot be read: {exception.Message.TrimEnd('.')}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static ReadOnlySpan<byte> WithoutLineEnd(ReadOnlySpan<byte> content) =>
        content.EndsWith("\r\n"u8) ? content[..^2] : content.EndsWith("\n"u8) ? content[..^1] : content;

    private static (int Start, int Length) Trimmed(ReadOnlySpan<byte> content, Range range)
    {
        var (start, length) = range.GetOffsetAndLength(content.Length);
        var untrimmed = content.Slice(start, length);
        var front = untrimmed.IndexOfAnyExcept(" \t\r"u8);
        return front < 0 ? (start + length, 0) : (start + front, untrimmed.LastIndexOfAnyExcept(" \t\r"u8) - front + 1);
    }

    private static bool TryId(ReadOnlySpan<byte> text, out byte? id)
    {
        var known = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        id = known ? value : null;
        return known;
    }

    private static bool TryAlgorithm(ReadOnlySpan<byte> text, out TcpAoAlgorithm algorithm)
    {
        (var known, algorithm) = text switch
        {
            _ when text.SequenceEqual("hmac-sha-1"u8) || text.SequenceEqual("hmac-sha-1-96"u8) => (true, TcpAoAlgorithm.HmacSha1),
            _ when text.SequenceEqual("aes-128-cmac"u8) || text.SequenceEqual("aes-128-cmac-96"u8) => (true, TcpAoAlgorithm.AesCmac128),
            _ => (false, default),
        };
        return known;
    }
}
