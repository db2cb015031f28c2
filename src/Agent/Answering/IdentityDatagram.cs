using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Agent.Answering;

/// <summary>
/// The hub's question to a shared address who it is that answers there, and the answer. Pure. Addresses are of 16 octets, IPv4 as ::ffff:a.b.c.d.
/// <code>
///   request, 128 octets                          answer, 53 octets and the label
///   +----------------------------------+ 0       +----------------------------------+ 0
///   | "FHQ1"                           |         | "FHA1"                           |
///   +----------------------------------+ 4       +----------------------------------+ 4
///   | nonce, 16 octets                 |         | the nonce of the request         |
///   +----------------------------------+ 20      +----------------------------------+ 20
///   | address that is asked, 16 octets |         | digest, 32 octets                |
///   +----------------------------------+ 36      +----------------------------------+ 52
///   | digest, 32 octets                |         | length of the label, 1 to 63     |
///   +----------------------------------+ 68      +----------------------------------+ 53
///   | zeros, so that no answer is      |         | label                            |
///   | longer than what asks for it     |         +----------------------------------+
///   +----------------------------------+ 128
///   HMAC-SHA256 by the key of whoever may ask,   HMAC-SHA256 by the key of the node, of "FHA1", nonce, asked address
///   of everything before it                      and label
/// </code>
/// </summary>
internal static class IdentityDatagram
{
    /// <summary>Of every request.</summary>
    public const int RequestSize = 128;

    /// <summary>No answer is longer.</summary>
    public const int LongestAnswer = LabelAt + 63;

    private const int NonceAt = 4;
    private const int NonceSize = 16;
    private const int AddressAt = NonceAt + NonceSize;
    private const int AddressSize = 16;
    private const int AskedEnd = AddressAt + AddressSize;
    private const int DigestSize = HMACSHA256.HashSizeInBytes;
    private const int AnswerDigestAt = NonceAt + NonceSize;
    private const int LengthAt = AnswerDigestAt + DigestSize;
    private const int LabelAt = LengthAt + 1;

    private static ReadOnlySpan<byte> Question => "FHQ1"u8;

    private static ReadOnlySpan<byte> Reply => "FHA1"u8;

    /// <summary>Has the form of a request for that address: a look, without any arithmetic.</summary>
    public static bool IsFor(ReadOnlySpan<byte> datagram, IPAddress address)
    {
        Span<byte> wanted = stackalloc byte[AddressSize];
        Write(address, wanted);
        return datagram.Length == RequestSize && datagram.StartsWith(Question) && datagram[AddressAt..AskedEnd].SequenceEqual(wanted);
    }

    /// <summary>Whoever asks has the key that the hub asks with.</summary>
    public static bool IsFromTheHub(ReadOnlySpan<byte> request, IdentityGrant grant)
    {
        Span<byte> digest = stackalloc byte[DigestSize];
        HMACSHA256.HashData(grant.AskKey, request[..AskedEnd], digest);
        return CryptographicOperations.FixedTimeEquals(digest, request.Slice(AskedEnd, DigestSize));
    }

    /// <summary>Writes the answer to a request; its length in octets, which is less than the request's.</summary>
    /// <param name="request">One that is from the hub.</param>
    /// <param name="grant">Of this node.</param>
    /// <param name="answer">At least <see cref="LongestAnswer"/> octets.</param>
    public static int Answer(ReadOnlySpan<byte> request, IdentityGrant grant, Span<byte> answer)
    {
        var label = Encoding.ASCII.GetBytes(grant.Label, answer[LabelAt..]);
        Reply.CopyTo(answer);
        request.Slice(NonceAt, NonceSize).CopyTo(answer[NonceAt..]);
        answer[LengthAt] = (byte)label;

        Span<byte> signed = stackalloc byte[AskedEnd + 63];
        Reply.CopyTo(signed);
        request[NonceAt..AskedEnd].CopyTo(signed[NonceAt..]);
        answer.Slice(LabelAt, label).CopyTo(signed[AskedEnd..]);
        HMACSHA256.HashData(grant.AnswerKey, signed[..(AskedEnd + label)], answer.Slice(AnswerDigestAt, DigestSize));
        return LabelAt + label;
    }

    private static void Write(IPAddress address, Span<byte> octets) => address.MapToIPv6().TryWriteBytes(octets, out _);
}
