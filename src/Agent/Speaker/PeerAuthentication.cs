using System.Security.Cryptography;

namespace FailoverHub.Agent.Speaker;

/// <summary>
/// How the segments of a session are signed, so that nobody else can end it or speak in it. A closed family. Both sides must have the same
/// key: a segment with another signature, or none, is dropped by the kernel without an answer.
/// </summary>
/// <remarks>
/// No record: what it prints never contains the key. <see cref="IDisposable.Dispose"/> overwrites the key in memory; no socket can be
/// dialled with it afterwards.
/// </remarks>
internal abstract class PeerAuthentication : IDisposable
{
    /// <summary>The most octets of a key that Linux takes, for either kind.</summary>
    public const int MaxKeyLength = 80;

    private readonly byte[] _key;

    private protected PeerAuthentication(ReadOnlySpan<byte> key)
    {
        if (Refuse(key) is { } problem)
        {
            throw new ArgumentException(problem, nameof(key));
        }

        // Pinned, so that the garbage collector leaves no copy of it behind.
        _key = GC.AllocateUninitializedArray<byte>(key.Length, pinned: true);
        key.CopyTo(_key);
    }

    /// <summary>The secret. For the socket only.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>What it is, for the operator: never the key.</summary>
    public abstract string Name { get; }

    /// <summary>Why these octets cannot be a key, in words; null: they can.</summary>
    public static string? Refuse(ReadOnlySpan<byte> key) => key.Length switch
    {
        0 => "the key is empty",
        > MaxKeyLength => $"the key has {key.Length} octets: at most {MaxKeyLength} are possible",
        _ => null,
    };

    public sealed override string ToString() => Name;

    /// <summary>By kind, key and numbers: a reload keeps the sessions of a key that is the same.</summary>
    public sealed override bool Equals(object? obj) =>
        obj is PeerAuthentication other && GetType() == other.GetType() && CryptographicOperations.FixedTimeEquals(_key, other._key) && Numbers == other.Numbers;

    /// <summary>Nothing of the key is in it.</summary>
    public sealed override int GetHashCode() => HashCode.Combine(Name, Numbers);

    /// <summary>What distinguishes two of a kind besides their keys.</summary>
    private protected virtual (byte SendId, byte ReceiveId, TcpAoAlgorithm Algorithm) Numbers => default;

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);
}

/// <summary>TCP MD5 signatures (RFC 2385): old and weak, and what most route servers have.</summary>
/// <param name="key">1 to 80 octets, as they are typed into a router's configuration. Copied; the caller may clear its own.</param>
/// <exception cref="ArgumentException">The key is empty or too long.</exception>
internal sealed class TcpMd5(ReadOnlySpan<byte> key) : PeerAuthentication(key)
{
    public override string Name => "TCP MD5";
}

/// <summary>The TCP Authentication Option (RFC 5925), one master key tuple. Needs Linux 6.7 with CONFIG_TCP_AO.</summary>
/// <param name="key">Master key, 1 to 80 octets. Copied; the caller may clear its own.</param>
/// <param name="sendId">SendID: the KeyID of what we send, the neighbor's RecvID.</param>
/// <param name="receiveId">RecvID: the KeyID of what we receive, the neighbor's SendID.</param>
/// <param name="algorithm">Both sides must have the same.</param>
/// <exception cref="ArgumentException">The key is empty or too long.</exception>
internal sealed class TcpAo(ReadOnlySpan<byte> key, byte sendId, byte receiveId, TcpAoAlgorithm algorithm) : PeerAuthentication(key)
{
    public byte SendId => sendId;

    public byte ReceiveId => receiveId;

    public TcpAoAlgorithm Algorithm => algorithm;

    public override string Name => "TCP-AO";

    private protected override (byte SendId, byte ReceiveId, TcpAoAlgorithm Algorithm) Numbers => (SendId, ReceiveId, Algorithm);
}

/// <summary>The algorithms that RFC 5926 asks of everybody.</summary>
internal enum TcpAoAlgorithm
{
    /// <summary>HMAC-SHA-1-96 (RFC 5926 3.2.1).</summary>
    HmacSha1,

    /// <summary>AES-128-CMAC-96 (RFC 5926 3.2.2).</summary>
    AesCmac128,
}
