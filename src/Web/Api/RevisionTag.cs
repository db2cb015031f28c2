using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace FailoverHub.Web.Api;

/// <summary>
/// A revision as an entity tag (RFC 9110 8.8.3). Of a pair it is the tag of what is *wanted* of it, which is what somebody who changes it must have seen; what is so
/// at this moment changes every second, and nobody could ever match that.
/// </summary>
internal static class RevisionTag
{
    public static string Of(long revision) => string.Create(CultureInfo.InvariantCulture, $"\"{revision}\"");

    /// <summary>Pure. Reads If-Match.</summary>
    /// <param name="header">As it came; may be absent.</param>
    /// <param name="revision">The revision that it names; null: none, or any ("*").</param>
    /// <returns>What is wrong with it, null: nothing.</returns>
    public static string? TryRead(StringValues header, out long? revision)
    {
        const string how = "Write the ETag as it was given, such as \"7\", or leave the header out.";
        revision = null;
        if (header.Count == 0)
        {
            return null;
        }

        if (!EntityTagHeaderValue.TryParseStrictList([.. header.Select(h => h ?? "")], out IList<EntityTagHeaderValue>? tags) || tags.Count != 1)
        {
            return $"It is not one entity tag. {how}";
        }

        EntityTagHeaderValue tag = tags[0];
        if (tag.Equals(EntityTagHeaderValue.Any))
        {
            return null;
        }

        if (tag.IsWeak || !long.TryParse(tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return $"{tag} is no revision. {how}";
        }

        revision = number;
        return null;
    }
}
