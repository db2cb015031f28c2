using MudBlazor;

namespace FailoverHub.Web.Components.Layout;

/// <summary>MudBlazor's theme in the dashboard's colours. The same values stand in wwwroot/css/tokens.css, which the pages without a circuit use too.</summary>
internal static class DashboardTheme
{
    private static readonly string[] Sans = ["Roboto Variable", "Roboto", "system-ui", "sans-serif"];

    public static MudTheme Instance { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#0b5a8f",
            PrimaryContrastText = "#ffffff",
            Secondary = "#53605d",
            Info = "#1860b4",
            Success = "#0a6a46",
            Warning = "#8a5800",
            Error = "#bf1f2b",
            Dark = "#16201e",
            TextPrimary = "#16201e",
            TextSecondary = "#53605d",
            TextDisabled = "#71807c",
            ActionDefault = "#53605d",
            ActionDisabled = "#71807c",
            ActionDisabledBackground = "#e4e9e7",
            Background = "#f2f4f3",
            BackgroundGray = "#e9edeb",
            Surface = "#ffffff",
            DrawerBackground = "#ffffff",
            DrawerText = "#16201e",
            DrawerIcon = "#53605d",
            AppbarBackground = "#ffffff",
            AppbarText = "#16201e",
            LinesDefault = "#dbe1df",
            LinesInputs = "#aab5b2",
            TableLines = "#dbe1df",
            Divider = "#dbe1df",
            OverlayDark = "rgba(12,24,22,0.45)",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#6fb7e8",
            PrimaryContrastText = "#06202f",
            Secondary = "#95a4a9",
            Info = "#74b3f5",
            Success = "#45c08b",
            Warning = "#e6b04a",
            Error = "#ff7272",
            ErrorContrastText = "#2a0507",
            WarningContrastText = "#241800",
            Dark = "#dde6e8",
            TextPrimary = "#dde6e8",
            TextSecondary = "#95a4a9",
            TextDisabled = "#77868b",
            ActionDefault = "#95a4a9",
            ActionDisabled = "#77868b",
            ActionDisabledBackground = "#1f2a2e",
            Background = "#0d1214",
            BackgroundGray = "#0f1518",
            Surface = "#141b1e",
            DrawerBackground = "#141b1e",
            DrawerText = "#dde6e8",
            DrawerIcon = "#95a4a9",
            AppbarBackground = "#141b1e",
            AppbarText = "#dde6e8",
            LinesDefault = "#253136",
            LinesInputs = "#46565d",
            TableLines = "#253136",
            Divider = "#253136",
            OverlayDark = "rgba(0,0,0,0.6)",
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "6px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = "14px", LineHeight = "1.45", LetterSpacing = "0" },
            H6 = new H6Typography { FontFamily = Sans, FontSize = "17px", FontWeight = "600", LetterSpacing = "-0.01em" },
            Body1 = new Body1Typography { FontFamily = Sans, FontSize = "14px", LetterSpacing = "0" },
            Body2 = new Body2Typography { FontFamily = Sans, FontSize = "13px", LetterSpacing = "0" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = "14px", FontWeight = "550", LetterSpacing = "0", TextTransform = "none" },
        },
    };
}
