using System.Collections.Immutable;
using System.Security.Cryptography;

namespace FailoverHub.Web.Access.SecondFactor;

/// <summary>Codes for the day the phone is lost: ten, each good once, kept as hashes. Pure but for the randomness of new ones.</summary>
internal static class RecoveryCodes
{
    public const int Count = 10;

    // 32 letters that cannot be mistaken for one another: 12 of them are 60 bits, and attempts are counted.
    private const string Letters = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>New ones: "abcd-efgh-jkmn".</summary>
    public static ImmutableArray<string> New() => [.. Enumerable.Range(0, Count).Select(_ => string.Join('-', RandomNumberGenerator.GetString(Letters, 12).Chunk(4).Select(part => new string(part))))];

    /// <summary>As they are stored.</summary>
    public static string Stored(IEnumerable<string> codes) => string.Join(' ', codes.Select(code => Secret.Hash(Plain(code))));

    /// <summary>What is stored when this one is used up; null: it is none of them.</summary>
    public static string? After(string stored, string code)
    {
        string hash = Secret.Hash(Plain(code));
        string[] all = stored.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return all.Contains(hash) ? string.Join(' ', all.Where(kept => kept != hash)) : null;
    }

    private static string Plain(string code) => string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
