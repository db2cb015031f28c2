using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.History;

/// <summary>
/// The hash of an audit entry: SHA-256 over the hash before and every field, each as its length in bytes (4 octets, big-endian; all ones:
/// null) and its UTF-8 text. With the lengths no two different entries have the same bytes; an entry without the last field, as most are, has
/// the bytes that it had before there was that field.
/// </summary>
internal static class AuditChain
{
    /// <summary>What the first entry has as the hash before it.</summary>
    public static string Root { get; } = new('0', 64);

    public static string HashOf(AuditEntity entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var field in Fields(entry))
        {
            BinaryPrimitives.WriteUInt32BigEndian(length, field is null ? uint.MaxValue : (uint)Encoding.UTF8.GetByteCount(field));
            hash.AppendData(length);
            hash.AppendData(Encoding.UTF8.GetBytes(field ?? ""));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<string?> Fields(AuditEntity entry) =>
    [
        entry.PreviousHash,
        entry.Id.ToString(CultureInfo.InvariantCulture),
        entry.AtMs.ToString(CultureInfo.InvariantCulture),
        entry.Actor,
        entry.RemoteAddress,
        entry.ForwardedFor,
        entry.Action,
        entry.Target,
        entry.Reason,
        entry.Before,
        entry.After,
        entry.Outcome,
        entry.CorrelationId,
        .. entry.HappenedAtMs is { } happened ? [happened.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
    ];
}
