using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Rules;

/// <summary>What became of a wish to change a rule or a channel.</summary>
internal abstract record SettingResult<T>
{
    /// <summary>It is so now.</summary>
    /// <param name="Value">As it is.</param>
    /// <param name="Secret">A secret that was made, to be shown once; null: none was.</param>
    public sealed record Done(T Value, string? Secret = null) : SettingResult<T>;

    /// <summary>It makes no sense.</summary>
    public sealed record Invalid(ImmutableSortedDictionary<string, string> Problems) : SettingResult<T>;

    /// <summary>There is none with that id.</summary>
    public sealed record NotFound(string What) : SettingResult<T>;

    /// <summary>Somebody changed it meanwhile.</summary>
    public sealed record Stale(long Revision) : SettingResult<T>;

    /// <summary>It could not be audited, so nothing was done.</summary>
    public sealed record NotWritten(string Why) : SettingResult<T>;
}
