namespace FailoverHub.Web.Components.Layout;

/// <summary>Which colours an operator wants.</summary>
public enum ThemeChoice
{
    /// <summary>As the operating system says.</summary>
    System,

    /// <summary>Dark on light.</summary>
    Light,

    /// <summary>Light on dark.</summary>
    Dark,
}

/// <summary>How one browser wants to see the dashboard. Kept in its cookies, not at the hub.</summary>
/// <param name="Theme">Chosen colours.</param>
/// <param name="Dark">What they come to now.</param>
/// <param name="Zone">Zone that times are shown in: UTC, or the browser's own.</param>
/// <param name="LocalZone">The browser's own zone.</param>
/// <param name="Shortcuts">Keys of one letter do something.</param>
public sealed record DisplayPreferences(ThemeChoice Theme, bool Dark, TimeZoneInfo Zone, TimeZoneInfo LocalZone, bool Shortcuts)
{
    /// <summary>Of a browser that has said nothing.</summary>
    public static DisplayPreferences Default { get; } = new(ThemeChoice.System, false, TimeZoneInfo.Utc, TimeZoneInfo.Utc, true);

    /// <summary>Times are shown in UTC.</summary>
    public bool IsUtc => Zone == TimeZoneInfo.Utc;

    internal static DisplayPreferences From(BrowserPreferences browser)
    {
        TimeZoneInfo local = TimeZoneInfo.TryFindSystemTimeZoneById(browser.Zone, out TimeZoneInfo? found) ? found : TimeZoneInfo.Utc;
        return new(
            Enum.TryParse(browser.Theme, ignoreCase: true, out ThemeChoice theme) ? theme : ThemeChoice.System,
            browser.Dark,
            browser.Utc ? TimeZoneInfo.Utc : local,
            local,
            browser.Shortcuts);
    }
}

/// <summary>The same as the browser's script sends it.</summary>
internal sealed record BrowserPreferences(string Theme, bool Dark, bool Utc, string Zone, bool Shortcuts);
