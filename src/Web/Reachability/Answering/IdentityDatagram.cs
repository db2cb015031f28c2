using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>What came back, before anybody has looked whether it is true.</summary>
/// <param name="Nonce">Of the request that it answers.</param>
/// <param name="Label">As whom somebody answers.</param>
/// <param name="Digest">What is to prove it.</param>
internal readonly record struct ClaimedAnswer(Nonce Nonce, string Label, ReadOnlyMemory<byte> Digest);

/// <summary>Sixteen random octets that nobody can know before they are sent.</summary>
internal readonly record struct Nonce(UInt128 Value)
{
    public const int Size = 16;

    public static Nonce New()
    {
        Span<byte> octets = stackalloc byte[Size];
        RandomNumberGenerator.Fill(octets);
        return Read(octets);
    }

    public static Nonce Read(ReadOnlySpan<byte> octets) => new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(octets));

    public void Write(Span<byte> octets) => System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(octets, Value);
}

/// <summary>
/// The question to a shared address which node it is that answers there, and the answer. Pure. Addresses are of 16 octets, IPv4 as ::ffff:a.b.c.d; the agent has the same
/// drawing, and both have the same vectors as tests.
/// <code>
///   request, 128 octets                          answer, 53 octets and the label
///   0    "FHQ1"                                  0    "FHA1"
///   4    nonce, 16 octets                        4    the nonce of the request
///   20   address that is asked, 16 octets        20   digest, 32 octets: HMAC-SHA256 by the node's key of "FHA1", nonce,
///   36   digest, 32 octets: HMAC-SHA256 by            asked address and label
///        the asking key of what is before it     52   length of the label, 1 to 63
///   68   zeros                                   53   label
/// </code>
/// </summary>
internal static class IdentityDatagram
{
    public const int RequestSize = 128;

    /// <summary>No answer is longer.</summary>
    public const int LongestAnswer = LabelAt + LongestLabel;

    private const int NonceAt = 4;
    private const int AddressAt = NonceAt + Nonce.Size;
    private const int AddressSize = 16;
    private const int AskedEnd = AddressAt + AddressSize;
    private const int DigestAt = NonceAt + Nonce.Size;
    private const int LengthAt = DigestAt + HMACSHA256.HashSizeInBytes;
    private const int LabelAt = LengthAt + 1;
    private const int LongestLabel = 63;

    private static readonly SearchValues<byte> LabelOctets = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);

    private static ReadOnlySpan<byte> Question => "FHQ1"u8;

    private static ReadOnlySpan<byte> Reply => "FHA1"u8;

    /// <summary>The octets of a request.</summary>
    public static byte[] Request(Nonce nonce, IPAddress address, byte[] askKey)
    {
        var request = new byte[RequestSize];
        Question.CopyTo(request);
        nonce.Write(request.AsSpan(NonceAt));
        address.MapToIPv6().TryWriteBytes(request.AsSpan(AddressAt), out _);
        HMACSHA256.HashData(askKey, request.AsSpan(0, AskedEnd), request.AsSpan(AskedEnd));
        return request;
    }

    /// <summary>Has the form of an answer.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out ClaimedAnswer answer)
    {
        answer = default;
        if (datagram.Length <= LabelAt || !datagram.StartsWith(Reply) || datagram[LengthAt] is 0 or > LongestLabel || datagram.Length != LabelAt + datagram[LengthAt])
        {
            return false;
        }

        ReadOnlySpan<byte> label = datagram[LabelAt..];
        if (label.ContainsAnyExcept(LabelOctets))
        {
            return false;
        }

        answer = new ClaimedAnswer(Nonce.Read(datagram.Slice(NonceAt, Nonce.Size)), Encoding.ASCII.GetString(label), datagram.Slice(DigestAt, HMACSHA256.HashSizeInBytes).ToArray());
        return true;
    }

    /// <summary>Whoever answered has the key of the node that he says he is, and was asked at that address.</summary>
    public static bool IsTrue(ClaimedAnswer answer, IPAddress asked, byte[] answerKey)
    {
        Span<byte> signed = stackalloc byte[AskedEnd + LongestLabel];
        Reply.CopyTo(signed);
        answer.Nonce.Write(signed[NonceAt..]);
        asked.MapToIPv6().TryWriteBytes(signed[AddressAt..], out _);
        int label = Encoding.ASCII.GetBytes(answer.Label, signed[AskedEnd..]);
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(answerKey, signed[..(AskedEnd + label)], digest);
        return CryptographicOperations.FixedTimeEquals(digest, answer.Digest.Span);
    }
}
